//! Files that are packed with gzip or zstd, recognised by their first bytes.

use std::io::{self, BufRead, BufReader, Cursor, Read};

const GZIP: &[u8] = b"\x1F\x8B";
const ZSTD: &[u8] = b"\x28\xB5\x2F\xFD";
const ROOM: usize = 1 << 18;

/// What is packed in some input, or the input itself where nothing is.
pub(crate) fn unpacked(mut input: Box<dyn BufRead + Send>) -> io::Result<Box<dyn BufRead + Send>> {
    let mut first = Vec::with_capacity(ZSTD.len());
    input.by_ref().take(ZSTD.len() as u64).read_to_end(&mut first)?;
    let (is_gzip, is_zstd) = (first.starts_with(GZIP), first == ZSTD);
    let whole = Cursor::new(first).chain(input);
    Ok(if is_gzip {
        // A file may be several that were packed one by one.
        let packed = Packed { by: "gzip", decoder: flate2::bufread::MultiGzDecoder::new(whole) };
        Box::new(BufReader::with_capacity(ROOM, packed))
    } else if is_zstd {
        let packed = Packed { by: "zstd", decoder: zstd::stream::read::Decoder::with_buffer(whole)? };
        Box::new(BufReader::with_capacity(ROOM, packed))
    } else {
        Box::new(whole)
    })
}

/// Packed text, whose errors say so.
struct Packed<R> {
    by: &'static str,
    decoder: R,
}

impl<R: Read> Read for Packed<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        self.decoder.read(into).map_err(|error| match error.kind() {
            io::ErrorKind::Interrupted => error,
            kind => io::Error::new(
                kind,
                format!("what is packed with {} cannot be read on, it is cut off or damaged ({error})", self.by),
            ),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    fn read(bytes: Vec<u8>) -> String {
        let mut text = String::new();
        unpacked(Box::new(Cursor::new(bytes))).unwrap().read_to_string(&mut text).unwrap();
        text
    }

    fn gzip(text: &str) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(text.as_bytes()).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn what_is_packed_is_unpacked_and_all_else_left_as_it_is() {
        for text in ["", "a", "{\"id\": 1}\n"] {
            assert_eq!(read(text.as_bytes().to_vec()), text);
            assert_eq!(read(gzip(text)), text);
            assert_eq!(read(zstd::stream::encode_all(text.as_bytes(), 1).unwrap()), text);
        }
        assert_eq!(read([gzip("one\n"), gzip("two\n")].concat()), "one\ntwo\n");
    }

    #[test]
    fn packed_text_that_is_cut_off_is_an_error() {
        let mut bytes = gzip(&"text ".repeat(100));
        bytes.truncate(bytes.len() - 5);
        assert!(unpacked(Box::new(Cursor::new(bytes))).unwrap().read_to_end(&mut Vec::new()).is_err());
    }
}
