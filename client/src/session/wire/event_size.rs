//! Counts how much of an unfinished server-sent event has arrived, so that it can be cut off.

/// The size in bytes of the event that is arriving. A blank line ends an event.
#[derive(Debug, Default)]
pub(super) struct EventSize {
    size: usize,
    line_is_blank: bool,
    after_carriage_return: bool,
}

impl EventSize {
    /// The largest size reached while `chunk` arrives.
    pub(super) fn after(&mut self, chunk: &[u8]) -> usize {
        let mut largest = self.size;
        for byte in chunk {
            self.add(*byte);
            largest = largest.max(self.size);
        }
        largest
    }

    fn add(&mut self, byte: u8) {
        let completes_line_break = byte == b'\n' && self.after_carriage_return;
        self.after_carriage_return = byte == b'\r';
        match byte {
            b'\n' if completes_line_break => {}
            b'\n' | b'\r' if self.line_is_blank => self.size = 0,
            b'\n' | b'\r' => self.line_is_blank = true,
            _ => {
                self.line_is_blank = false;
                self.size += 1;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_blank_line_starts_a_new_count_whatever_the_line_break() {
        for line_break in ["\n", "\r", "\r\n"] {
            let mut size = EventSize::default();
            let event = format!("data: a{line_break}data: b{line_break}{line_break}");
            assert_eq!(size.after(event.as_bytes()), 14, "{line_break:?}");
            assert_eq!(size.after(b"data"), 4, "{line_break:?}");
        }
    }

    #[test]
    fn an_event_in_pieces_is_counted_as_a_whole() {
        let mut size = EventSize::default();
        size.after(b"data: ");
        assert_eq!(size.after(b"more"), 10);
    }
}
