//! What hickory-proto says of the same packets, and packets that nobody should send.

use super::*;
use hickory_proto::op::{Edns as TheirEdns, Message, MessageType, OpCode, Query as TheirQuery, ResponseCode};
use hickory_proto::rr::rdata::{PTR, SOA};
use hickory_proto::rr::{Name as TheirName, RData, Record, RecordType};
use proptest::prelude::*;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// The name below which the name of an address is kept: the other way round of [`Name::reverse_of`].
fn reversed(address: IpAddr) -> String {
    match address {
        IpAddr::V4(address) => {
            let [a, b, c, d] = address.octets();
            format!("{d}.{c}.{b}.{a}.in-addr.arpa")
        }
        IpAddr::V6(address) => {
            let digits = format!("{:032x}", u128::from(address));
            let labels: Vec<_> = digits.chars().rev().map(String::from).collect();
            format!("{}.ip6.arpa", labels.join("."))
        }
    }
}

fn question(name: &str, kind: RecordType) -> Message {
    let mut message = Message::new(7, MessageType::Query, OpCode::Query);
    message.metadata.recursion_desired = true;
    message.add_query(TheirQuery::query(TheirName::from_ascii(name).unwrap(), kind));
    message
}

fn with_edns(mut message: Message, size: u16) -> Message {
    let mut edns = TheirEdns::new();
    edns.set_max_payload(size).set_dnssec_ok(true);
    message.set_edns(edns);
    message
}

/// Our answer to their question, read by them.
fn answered(message: &Message, limit: usize, write: impl FnOnce(&mut Reply<'_>)) -> Message {
    let mut buffer = message.to_vec().unwrap();
    let query = Query::read(&buffer).unwrap();
    buffer.resize(4096, 0xEE);
    let mut reply = Reply::new(&mut buffer, &query, limit);
    write(&mut reply);
    let length = reply.finish();
    assert!(length <= limit);
    Message::from_vec(&buffer[..length]).unwrap()
}

#[test]
fn a_question_is_read_as_they_wrote_it() {
    let packet = with_edns(question("Web.Example.", RecordType::AAAA), 1400).to_vec().unwrap();
    let query = Query::read(&packet).unwrap();
    assert_eq!(query.name.as_wire(), b"\x03web\x07example");
    assert_eq!((query.kind, query.class, query.datagram()), (kind::AAAA, CLASS_IN, 1400));
    assert_eq!(query.edns, Some(Edns { size: 1400, version: 0, signatures: true }));
}

#[test]
fn an_answer_is_read_by_them_as_we_wrote_it() {
    let addresses = [IpAddr::from([10, 0, 0, 2]), IpAddr::V6(Ipv6Addr::LOCALHOST)];
    let reply = answered(&question("wEb.", RecordType::A), 512, |reply| {
        for address in addresses {
            reply.address(address, 5);
        }
    });
    assert_eq!((reply.metadata.id, reply.metadata.response_code), (7, ResponseCode::NoError));
    assert!(
        reply.metadata.recursion_available && reply.metadata.recursion_desired && !reply.metadata.truncation
    );
    assert!(reply.edns.is_none());
    assert_eq!(reply.queries[0].name().to_ascii(), "wEb.", "the case stays the client's");
    let got: Vec<_> = reply.answers.iter().map(|record| record.data.ip_addr().unwrap()).collect();
    assert_eq!(got, addresses);
}

#[test]
fn edns_is_answered_and_counted_into_the_size() {
    let reply = answered(&with_edns(question("web.", RecordType::A), 4096), 512, |reply| {
        for number in 0..100 {
            reply.address(IpAddr::from([10, 0, 0, number]), 5);
        }
    });
    assert!(reply.metadata.truncation);
    assert_eq!(reply.answers.len(), (512 - 11 - 21) / 16);
    let edns = reply.edns.unwrap();
    assert!((edns.max_payload(), edns.version(), edns.flags().dnssec_ok) == (1232, 0, true));
    let reply =
        answered(&with_edns(question("web.", RecordType::A), 4096), 512, |reply| reply.code(code::BADVERS));
    // 16 has two names.
    assert_eq!(u16::from(reply.metadata.response_code), code::BADVERS);
}

#[test]
fn names_of_addresses_go_both_ways() {
    for address in [IpAddr::from([172, 18, 0, 254]), "fd00::12:3f".parse().unwrap()] {
        let packet = question(&format!("{}.", reversed(address)), RecordType::PTR).to_vec().unwrap();
        assert_eq!(Query::read(&packet).unwrap().name.reverse_of(), Some(address));
    }
    for name in [
        "0.10.in-addr.arpa.",
        "a.0.0.10.in-addr.arpa.",
        "1.2.3.4.5.in-addr.arpa.",
        "1.ip6.arpa.",
        "in-addr.arpa.",
        "web.",
    ] {
        let packet = question(name, RecordType::PTR).to_vec().unwrap();
        assert_eq!(Query::read(&packet).unwrap().name.reverse_of(), None, "{name}");
    }
    let reply = answered(&question("4.3.2.1.in-addr.arpa.", RecordType::PTR), 512, |reply| {
        reply.pointer(&wire("web.net").unwrap(), 5);
    });
    let RData::PTR(PTR(name)) = &reply.answers[0].data else { panic!("{reply}") };
    assert_eq!(name.to_ascii(), "web.net.");
}

#[test]
fn names_that_cannot_be_are_none() {
    for text in ["", ".", "a..b", &"x".repeat(64), &"abc.".repeat(64)] {
        assert_eq!(wire(text), None, "{text:?}");
    }
    assert_eq!(wire("Web_1.Net.").as_deref(), Some(&b"\x05web_1\x03net"[..]));
}

#[test]
fn what_is_no_query_gets_silence_or_a_code() {
    let good = question("web.", RecordType::A).to_vec().unwrap();
    let changed = |at: usize, byte: u8| {
        let mut packet = good.clone();
        packet[at] = byte;
        Query::read(&packet).unwrap_err()
    };
    assert_eq!(Query::read(&good[..11]).unwrap_err(), Refusal::Silence);
    assert_eq!(changed(2, 0x80), Refusal::Silence, "an answer");
    assert_eq!(changed(2, 0x28), Refusal::Code(code::NOTIMP), "an update");
    assert_eq!(changed(5, 2), Refusal::Code(code::FORMERR), "two questions");
    assert_eq!(changed(7, 1), Refusal::Code(code::FORMERR), "an answer in a question");
    assert_eq!(changed(12, 0xC0), Refusal::Code(code::FORMERR), "a pointer");
    assert_eq!(changed(12, 60), Refusal::Code(code::FORMERR), "a name beyond the end");
    let mut packet = with_edns(question("web.", RecordType::A), 512).to_vec().unwrap();
    packet[11] = 2;
    packet.extend_from_within(packet.len() - 11..);
    assert_eq!(Query::read(&packet).unwrap_err(), Refusal::Code(code::FORMERR), "EDNS twice");
}

fn upstream(records: &[Record], authority: &[Record]) -> (Query, Vec<u8>) {
    let asked = question("web.example.", RecordType::A);
    let query = Query::read(&asked.to_vec().unwrap()).unwrap();
    let mut message = with_edns(asked, 1232);
    message.metadata.message_type = MessageType::Response;
    message.add_answers(records.iter().cloned());
    message.add_authorities(authority.iter().cloned());
    (query, message.to_vec().unwrap())
}

fn address_record(ttl: u32) -> Record {
    let name = TheirName::from_ascii("web.example.").unwrap();
    Record::from_rdata(name, ttl, RData::A(Ipv4Addr::new(10, 1, 2, 3).into()))
}

#[test]
fn an_answer_from_outside_loses_its_edns_and_keeps_its_records() {
    let (query, packet) = upstream(&[address_record(300), address_record(60)], &[]);
    let response = Response::read(&packet, 7, &query).unwrap();
    assert_eq!((response.counts, response.keep, response.ttls.len()), ([2, 0, 0], Some(60), 2));
    assert!(Response::read(&packet, 8, &query).is_none(), "another id");
    let other = Query::read(&question("web.examplf.", RecordType::A).to_vec().unwrap()).unwrap();
    assert!(Response::read(&packet, 7, &other).is_none(), "another question");
}

#[test]
fn what_is_not_is_kept_as_long_as_the_zone_says() {
    let zone = TheirName::from_ascii("example.").unwrap();
    let soa = SOA::new(zone.clone(), zone.clone(), 1, 2, 3, 4, 30);
    let (query, packet) = upstream(&[], &[Record::from_rdata(zone, 900, RData::SOA(soa))]);
    assert_eq!(Response::read(&packet, 7, &query).unwrap().keep, Some(30));
    let (query, packet) = upstream(&[], &[]);
    assert_eq!(Response::read(&packet, 7, &query).unwrap().keep, None);
}

proptest! {
    #[test]
    fn any_bytes_are_read_without_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..600)) {
        let _ = Query::read(&bytes);
    }

    #[test]
    fn damaged_answers_are_read_without_a_panic(at in 2_usize..200, byte: u8, cut in 0_usize..200) {
        let (query, mut packet) = upstream(&[address_record(300), address_record(60)], &[]);
        let length = packet.len();
        packet[at % length] = byte;
        packet.truncate(length.saturating_sub(cut));
        let _ = Response::read(&packet, 7, &query);
    }

    #[test]
    fn what_they_read_as_a_question_we_read_alike(labels in prop::collection::vec("[A-Za-z0-9][A-Za-z0-9_-]{0,19}", 1..6), kind: u16) {
        let name = format!("{}.", labels.join("."));
        let packet = question(&name, RecordType::from(kind)).to_vec().unwrap();
        let query = Query::read(&packet).unwrap();
        prop_assert_eq!(query.name.as_wire(), &*wire(&name).unwrap());
        prop_assert_eq!(query.kind, kind);
        prop_assert_eq!(query.name.is_single(), labels.len() == 1);
    }
}
