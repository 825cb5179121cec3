//! The header of a frame.

/// Bytes before the message.
pub(super) const HEADER: usize = 10;
/// The longest message that ttrpc allows.
pub(super) const LIMIT: usize = 4 << 20;

/// What a frame carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Request,
    Response,
    /// Of a streaming method, which the shim has none of.
    Other,
}

/// A header.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) length: usize,
    pub(super) stream: u32,
    pub(super) kind: Kind,
}

impl Header {
    /// Reads the header at the start of `bytes`, if it is all there.
    pub(super) fn parse(bytes: &[u8]) -> Option<Self> {
        let header = bytes.first_chunk::<HEADER>()?;
        let number =
            |at: usize| u32::from_be_bytes([header[at], header[at + 1], header[at + 2], header[at + 3]]);
        let kind = match header[8] {
            1 => Kind::Request,
            2 => Kind::Response,
            _ => Kind::Other,
        };
        Some(Self { length: number(0) as usize, stream: number(4), kind })
    }
}

/// A whole frame.
pub(crate) fn encode(kind: Kind, stream: u32, message: &[u8]) -> Vec<u8> {
    let mut frame = Vec::with_capacity(HEADER + message.len());
    let length = u32::try_from(message.len()).unwrap_or(u32::MAX);
    frame.extend_from_slice(&length.to_be_bytes());
    frame.extend_from_slice(&stream.to_be_bytes());
    frame.push(if kind == Kind::Request { 1 } else { 2 });
    frame.push(0);
    frame.extend_from_slice(message);
    frame
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_reads_back() {
        let frame = encode(Kind::Response, 0x0102_0304, b"abc");
        let header = Header::parse(&frame).unwrap();
        assert_eq!(header, Header { length: 3, stream: 0x0102_0304, kind: Kind::Response });
        assert_eq!(Header::parse(&frame[..9]), None);
    }
}
