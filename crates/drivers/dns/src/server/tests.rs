//! The resolver on loopback addresses, asked by real sockets, with servers outside that do as a test says.

use super::*;
use crate::message::{kind, u16_at};
use hickory_proto::op::{Edns, Message, MessageType, OpCode, Query as TheirQuery, ResponseCode};
use hickory_proto::rr::{Name, RData, Record, RecordType};
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::time::{Duration, Instant};

/// Longer than anything here takes.
const LIMIT: Duration = Duration::from_secs(20);

/// A resolver on one gateway, with the container `web` at 127.0.0.1 and whatever else a test puts.
struct Place {
    runtime: tokio::runtime::Runtime,
    server: Option<Server>,
    gateway: SocketAddr,
}

/// Each test has its own gateway, so that all can run at once.
fn place(last: u8, servers: &[SocketAddr]) -> Place {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let port = free_port(last);
    let gateway = SocketAddr::from(([127, 53, 0, last], port));
    let guard = runtime.enter();
    let mut server = Server::start(port, 2).unwrap();
    server.set_servers(servers.to_vec());
    assert_eq!(server.put_network(network(gateway, false)), [""; 0]);
    assert_eq!(server.put_container(web(), None), [""; 0]);
    drop(guard);
    Place { runtime, server: Some(server), gateway }
}

fn free_port(last: u8) -> u16 {
    UdpSocket::bind(SocketAddr::from(([127, 53, 0, last], 0))).unwrap().local_addr().unwrap().port()
}

fn network(gateway: SocketAddr, internal: bool) -> protocol::Network {
    protocol::Network {
        id: "n".into(),
        name: "net".into(),
        gateways: vec![gateway.ip()],
        internal,
        bridge: None,
    }
}

fn web() -> protocol::Container {
    let address = IpAddr::from([127, 0, 0, 1]);
    let names = vec!["web".into()];
    let endpoint = protocol::Endpoint { network: "n".into(), addresses: vec![address], names };
    protocol::Container { id: "w".into(), endpoints: vec![endpoint], ..protocol::Container::default() }
}

impl Place {
    fn change(&mut self, change: impl FnOnce(&mut Server)) {
        let _guard = self.runtime.enter();
        change(self.server.as_mut().unwrap());
    }

    fn ask(&self, message: &Message) -> Message {
        self.ask_from("127.0.0.1", message)
    }

    fn ask_from(&self, from: &str, message: &Message) -> Message {
        let socket = UdpSocket::bind((from, 0)).unwrap();
        socket.set_read_timeout(Some(LIMIT)).unwrap();
        socket.send_to(&message.to_vec().unwrap(), self.gateway).unwrap();
        let mut buffer = [0; 65_535];
        let length = socket.recv(&mut buffer).unwrap();
        Message::from_vec(&buffer[..length]).unwrap()
    }

    fn ask_tcp(&self, message: &Message) -> Message {
        let mut stream = TcpStream::connect(self.gateway).unwrap();
        stream.set_read_timeout(Some(LIMIT)).unwrap();
        let packet = message.to_vec().unwrap();
        // In two pieces: TCP knows no packets.
        stream.write_all(&u16::try_from(packet.len()).unwrap().to_be_bytes()).unwrap();
        stream.write_all(&packet[..5]).unwrap();
        stream.write_all(&packet[5..]).unwrap();
        read_tcp(&mut stream)
    }

    fn code(&self, name: &str) -> ResponseCode {
        self.ask(&question(name, RecordType::A)).metadata.response_code
    }
}

fn read_tcp(stream: &mut TcpStream) -> Message {
    let mut length = [0; 2];
    stream.read_exact(&mut length).unwrap();
    let mut packet = vec![0; u16::from_be_bytes(length).into()];
    stream.read_exact(&mut packet).unwrap();
    Message::from_vec(&packet).unwrap()
}

fn question(name: &str, kind: RecordType) -> Message {
    let mut message = Message::new(4711, MessageType::Query, OpCode::Query);
    message.metadata.recursion_desired = true;
    message.add_query(TheirQuery::query(Name::from_ascii(name).unwrap(), kind));
    message
}

fn addresses(message: &Message) -> Vec<String> {
    message
        .answers
        .iter()
        .filter_map(|record| record.data.ip_addr())
        .map(|address| address.to_string())
        .collect()
}

/// What a server outside says to each packet; none: nothing.
type Script = Box<dyn FnMut(&Message) -> Option<Vec<u8>> + Send>;

/// A server outside, by datagram, and by TCP if there is a script for that.
fn outside(mut udp: Script, tcp: Option<Script>) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let socket = UdpSocket::bind(address).unwrap();
    std::thread::spawn(move || {
        let mut buffer = [0; 4096];
        while let Ok((length, from)) = socket.recv_from(&mut buffer) {
            let asked = Message::from_vec(&buffer[..length]).unwrap();
            if let Some(answer) = udp(&asked) {
                socket.send_to(&answer, from).unwrap();
            }
        }
    });
    if let Some(mut tcp) = tcp {
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                let asked = read_tcp(&mut stream);
                let answer = tcp(&asked).unwrap();
                stream.write_all(&u16::try_from(answer.len()).unwrap().to_be_bytes()).unwrap();
                stream.write_all(&answer).unwrap();
            }
        });
    }
    address
}

/// An answer with these addresses.
fn reply(asked: &Message, last: &[u8]) -> Message {
    let mut message = asked.clone();
    message.metadata.message_type = MessageType::Response;
    for &number in last {
        let data = RData::A(Ipv4Addr::new(192, 0, 2, number).into());
        message.add_answer(Record::from_rdata(asked.queries[0].name().clone(), 60, data));
    }
    message
}

fn says(last: u8) -> SocketAddr {
    outside(Box::new(move |asked| Some(reply(asked, &[last]).to_vec().unwrap())), None)
}

fn fails(code: ResponseCode) -> SocketAddr {
    let script = move |asked: &Message| {
        let mut message = reply(asked, &[]);
        message.metadata.response_code = code;
        Some(message.to_vec().unwrap())
    };
    outside(Box::new(script), None)
}

fn silent() -> SocketAddr {
    outside(Box::new(|_| None), None)
}

#[test]
fn names_are_answered_by_datagram_and_tcp_to_containers_only() {
    let place = place(1, &[]);
    let asked = question("WEB.net.", RecordType::A);
    for reply in [place.ask(&asked), place.ask_tcp(&asked)] {
        assert_eq!(addresses(&reply), ["127.0.0.1"]);
        assert_eq!((reply.metadata.id, reply.queries[0].name().to_ascii()), (4711, "WEB.net.".into()));
    }
    let stranger = place.ask_from("127.0.0.9", &asked);
    assert_eq!((stranger.metadata.response_code, stranger.answers.len()), (ResponseCode::Refused, 0));
    let none = place.ask(&question("web.", RecordType::TXT));
    assert_eq!((none.metadata.response_code, none.answers.len()), (ResponseCode::NoError, 0));
    let pointer = place.ask(&question("1.0.0.127.in-addr.arpa.", RecordType::PTR));
    assert_eq!(pointer.answers[0].data.to_string(), "web.net.");
}

#[test]
fn names_without_anybody_to_ask_are_answered_at_once() {
    let begin = Instant::now();
    let mut place = place(2, &[]);
    assert_eq!(place.code("other.docker.internal."), ResponseCode::NXDomain);
    assert_eq!(place.code("example."), ResponseCode::ServFail);
    let gateway = place.gateway;
    place.change(|server| {
        server.set_servers(vec![says(1)]);
        server.put_network(network(gateway, true));
    });
    assert_eq!(place.code("example."), ResponseCode::ServFail, "an internal network");
    assert_eq!(place.code("web."), ResponseCode::NoError);
    assert!(begin.elapsed() < Duration::from_secs(3), "nobody was waited for: {:?}", begin.elapsed());
}

#[test]
fn names_without_a_dot_stay_inside_if_ndots_was_chosen() {
    let mut place = place(3, &[says(7)]);
    assert_eq!(addresses(&place.ask(&question("single.", RecordType::A))), ["192.0.2.7"]);
    place.change(|server| {
        server.put_container(protocol::Container { ndots_chosen: true, ..web() }, None);
    });
    let reply = place.ask(&question("another.", RecordType::A));
    assert_eq!((reply.metadata.response_code, reply.answers.len()), (ResponseCode::NoError, 0));
    assert_eq!(addresses(&place.ask(&question("with.dot.", RecordType::A))), ["192.0.2.7"]);
}

#[test]
fn failures_are_tried_elsewhere_and_dead_servers_overtaken() {
    let dead = UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap(); // closed by now
    for (last, first) in
        [(4, fails(ResponseCode::ServFail)), (5, fails(ResponseCode::Refused)), (6, dead), (7, silent())]
    {
        let place = place(last, &[first, says(last)]);
        let begin = Instant::now();
        assert_eq!(addresses(&place.ask(&question("example.", RecordType::A))), [format!("192.0.2.{last}")]);
        assert!(begin.elapsed() < Duration::from_secs(2), "{last}: {:?}", begin.elapsed());
    }
    let place = place(8, &[fails(ResponseCode::ServFail), fails(ResponseCode::Refused)]);
    assert!(matches!(place.code("example."), ResponseCode::Refused | ResponseCode::ServFail));
}

#[test]
fn that_there_is_no_such_name_is_an_answer() {
    let place = place(9, &[fails(ResponseCode::NXDomain), says(9)]);
    assert_eq!(place.code("example."), ResponseCode::NXDomain);
}

#[test]
fn a_lost_question_is_sent_again() {
    let mut count = 0;
    let script = move |asked: &Message| {
        count += 1;
        (count > 1).then(|| reply(asked, &[10]).to_vec().unwrap())
    };
    let place = place(10, &[outside(Box::new(script), None)]);
    assert_eq!(addresses(&place.ask(&question("example.", RecordType::A))), ["192.0.2.10"]);
}

#[test]
fn answers_to_other_questions_are_not_believed() {
    let mut asked_before = None::<u16>;
    let script = move |asked: &Message| {
        // Twice a lie, then the truth: each is sent to one of the attempts of a second.
        let id = asked.metadata.id;
        assert_ne!(asked_before.replace(id), Some(id));
        let mut lie = reply(asked, &[66]);
        lie.metadata.id = id.wrapping_add(1);
        Some(lie.to_vec().unwrap())
    };
    let liar = outside(Box::new(script), None);
    let other = outside(
        Box::new(|asked| {
            let mut lie = question("elsewhere.", RecordType::A);
            lie.metadata.id = asked.metadata.id;
            Some(reply(&lie, &[66]).to_vec().unwrap())
        }),
        None,
    );
    let place = place(11, &[liar, other, says(11)]);
    assert_eq!(addresses(&place.ask(&question("example.", RecordType::A))), ["192.0.2.11"]);
}

#[test]
fn what_is_too_long_is_asked_by_tcp() {
    let all: Vec<u8> = (0..120).collect();
    let udp = |asked: &Message| {
        let mut short = reply(asked, &[]);
        short.metadata.truncation = true;
        Some(short.to_vec().unwrap())
    };
    let tcp = move |asked: &Message| Some(reply(asked, &all).to_vec().unwrap());
    let place = place(12, &[outside(Box::new(udp), Some(Box::new(tcp)))]);
    let mut asked = question("example.", RecordType::A);
    let short = place.ask(&asked);
    assert!(short.metadata.truncation && short.answers.is_empty(), "512 bytes hold no such answer");
    assert_eq!(place.ask_tcp(&asked).answers.len(), 120);
    let mut edns = Edns::new();
    edns.set_max_payload(4096);
    asked.set_edns(edns);
    let long = place.ask(&asked);
    assert_eq!(
        (long.answers.len(), long.metadata.truncation, long.edns.unwrap().max_payload()),
        (120, false, 1232)
    );
}

#[test]
fn a_server_without_edns_is_asked_without() {
    let script = |asked: &Message| {
        let mut message = reply(asked, &[13]);
        if asked.edns.is_some() {
            message = Message::new(asked.metadata.id, MessageType::Response, OpCode::Query);
            message.metadata.response_code = ResponseCode::FormErr;
        }
        Some(message.to_vec().unwrap())
    };
    let place = place(13, &[outside(Box::new(script), None)]);
    assert_eq!(addresses(&place.ask(&question("example.", RecordType::A))), ["192.0.2.13"]);
}

#[test]
fn an_answer_is_kept_for_those_who_have_the_same_servers() {
    let counting = || {
        let mut count = 0;
        outside(
            Box::new(move |asked| {
                count += 1;
                Some(reply(asked, &[count]).to_vec().unwrap())
            }),
            None,
        )
    };
    let mut place = place(14, &[counting()]);
    for name in ["example.", "EXAMPLE.", "example."] {
        assert_eq!(addresses(&place.ask(&question(name, RecordType::A))), ["192.0.2.1"], "{name}");
    }
    place.change(|server| {
        server.put_container(protocol::Container { servers: vec![says(99)], ..web() }, None);
    });
    assert_eq!(addresses(&place.ask(&question("example.", RecordType::A))), ["192.0.2.99"]);
}

#[test]
fn an_address_that_something_else_has_is_told_and_tried_again() {
    let mut place = place(15, &[]);
    let address = SocketAddr::from(([127, 53, 1, 15], place.gateway.port()));
    let taken = UdpSocket::bind(address).unwrap();
    let record = protocol::Network {
        gateways: vec![place.gateway.ip(), address.ip()],
        ..network(place.gateway, false)
    };
    place.change(|server| {
        let warnings = server.put_network(record);
        assert_eq!(
            warnings,
            [format!("listen for names on {address}: Address already in use (os error 98)")]
        );
        assert!(server.retry());
        drop(taken);
        assert!(!server.retry());
        assert_eq!(server.counts(), (1, 1, 2));
        server.remove_network("n");
        assert_eq!(server.counts(), (0, 1, 0));
    });
}

#[test]
fn packets_that_are_no_questions_get_a_code_or_nothing() {
    let place = place(16, &[]);
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.connect(place.gateway).unwrap();
    socket.set_read_timeout(Some(LIMIT)).unwrap();
    let mut response = question("web.", RecordType::A);
    response.metadata.message_type = MessageType::Response;
    let mut update = question("web.", RecordType::A).to_vec().unwrap();
    update[2] |= 5 << 3;
    for silence in [&b"short"[..], &[], &response.to_vec().unwrap()] {
        socket.send(silence).unwrap();
    }
    socket.send(&update).unwrap();
    let mut buffer = [0; 512];
    assert_eq!(socket.recv(&mut buffer).unwrap(), 12, "the first answer is that to the update");
    assert_eq!(u16_at(&buffer, 2).unwrap() & 0xF, code::NOTIMP);
    let zone = place.ask(&question("web.", RecordType::from(kind::AXFR)));
    assert_eq!(zone.metadata.response_code, ResponseCode::Refused);
    let mut future = Edns::new();
    future.set_version(1);
    let mut asked = question("web.", RecordType::A);
    asked.set_edns(future);
    assert_eq!(u16::from(place.ask(&asked).metadata.response_code), code::BADVERS);
}

#[test]
fn a_dropped_resolver_lets_go_of_its_addresses() {
    let mut place = place(17, &[]);
    let gateway = place.gateway;
    let guard = place.runtime.enter();
    drop(place.server.take());
    drop(guard);
    drop(place.runtime);
    UdpSocket::bind(gateway).unwrap();
    TcpListener::bind(gateway).unwrap();
}
