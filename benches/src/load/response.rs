//! Minimal parser of HTTP responses: status and end of the body.

use memchr::memmem::find;

/// Returns the status of the response in a buffer, or `None` if it is incomplete. Errors: not an HTTP
/// response with a length or chunks.
pub(crate) fn complete_status(buffer: &[u8]) -> Result<Option<u16>, &'static str> {
    let Some(end) = find(buffer, b"\r\n\r\n") else { return Ok(None) };
    let (head, rest) = buffer.split_at(end + 4);
    let digits = head.get(9..12).ok_or("no status")?;
    let status = parse_number(digits, 10).ok_or("no status")?;
    let is_complete = if let Some(index) = find(head, b"content-length: ") {
        let digits = head.get(index + 16..).unwrap_or_default();
        let length = digits.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let length =
            parse_number(digits.get(..length).unwrap_or_default(), 10).ok_or("no length")?;
        rest.len() >= length
    } else if find(head, b"transfer-encoding: chunked").is_some() {
        has_last_chunk(rest)?
    } else {
        return Err("neither a length nor chunks");
    };
    let status = u16::try_from(status).map_err(|_| "no status")?;
    Ok(is_complete.then_some(status))
}

fn parse_number(digits: &[u8], radix: u32) -> Option<usize> {
    usize::from_str_radix(std::str::from_utf8(digits).ok()?, radix).ok()
}

/// Returns true if the last chunk, of size zero, has been received.
fn has_last_chunk(mut rest: &[u8]) -> Result<bool, &'static str> {
    loop {
        let Some(end) = find(rest, b"\r\n") else { return Ok(false) };
        let digits = rest.get(..end).unwrap_or_default();
        let size = parse_number(digits, 16).ok_or("a chunk without a size")?;
        let Some(next) = rest.get(end + 2 + size + 2..) else { return Ok(false) };
        if size == 0 {
            return Ok(true);
        }
        rest = next;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn response_is_complete_at_its_last_byte() {
        let responses = [
            ("HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello", 200),
            ("HTTP/1.1 304 Not Modified\r\ncontent-length: 0\r\n\r\n", 304),
            (
                "HTTP/1.1 201 Created\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\na\r\n0\r\n\r\nabcde\r\n0\r\n\r\n",
                201,
            ),
        ];
        for (response, status) in responses {
            let bytes = response.as_bytes();
            for end in 0..bytes.len() {
                assert_eq!(complete_status(&bytes[..end]), Ok(None), "{response:?} up to {end}");
            }
            assert_eq!(complete_status(bytes), Ok(Some(status)));
        }
        assert!(complete_status(b"HTTP/1.1 200 OK\r\n\r\n").is_err());
    }
}
