//! Tests of the chain: what crashes, full disks and forgers leave.

use std::{
    fs,
    io::{self, Write},
    sync::{Arc, Mutex, PoisonError},
};

use super::{
    file::{AuditFile, Storage},
    read::{AuditError, Query, query, verify},
    record::{Event, Outcome, Record},
    writer::Writer,
};
use crate::config::audit::OnFailure;

fn call(user: &str) -> Record {
    let outcome = Some(Outcome::Ok);
    Record { time: 7, user: user.into(), name: "echo".into(), outcome, ..Record::default() }
}

/// A disk with room for so many bytes.
#[derive(Clone, Debug)]
struct Disk(Arc<Mutex<(Vec<u8>, usize)>>);

impl Disk {
    fn new(room: usize) -> Self {
        Self(Arc::new(Mutex::new((Vec::new(), room))))
    }

    fn with<T>(&self, change: impl FnOnce(&mut (Vec<u8>, usize)) -> T) -> T {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// What is on it, as a file.
    fn file(&self) -> tempfile::NamedTempFile {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(file.path(), self.with(|(bytes, _)| bytes.clone())).unwrap();
        file
    }
}

impl Write for Disk {
    fn write(&mut self, text: &[u8]) -> io::Result<usize> {
        self.with(|(bytes, room)| {
            let count = text.len().min(*room - bytes.len());
            bytes.extend_from_slice(&text[..count]);
            if count == 0 { Err(io::ErrorKind::StorageFull.into()) } else { Ok(count) }
        })
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Storage for Disk {
    fn sync(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_chain_goes_on_after_a_restart_and_knows_when_a_line_was_touched() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("audit.jsonl");
    for round in 0..3 {
        let mut file = AuditFile::open(&path).unwrap();
        assert!(AuditFile::open(&path).is_err(), "a second gate");
        file.append(&call("nick")).unwrap();
        file.append(&call(&format!("eve{round}"))).unwrap();
        file.sync().unwrap();
    }
    let verified = verify(&path, None).unwrap();
    assert_eq!((verified.calls, verified.torn.len()), (6, 0));
    let text = fs::read_to_string(&path).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    let broken = |lines: &[&str]| {
        fs::write(&path, format!("{}\n", lines.join("\n"))).unwrap();
        verify(&path, Some(&verified.head)).map(|verified| verified.calls)
    };
    assert!(matches!(broken(&lines), Ok(6)));
    let changed = lines[2].replace("nick", "mick");
    let mut touched = lines.clone();
    touched[2] = &changed;
    assert!(matches!(broken(&touched), Err(AuditError::Broken { line: 4, .. })));
    assert!(matches!(
        broken(&[&lines[..2], &lines[3..]].concat()),
        Err(AuditError::Broken { line: 3, .. })
    ));
    let twice = [&lines[..3], &lines[2..]].concat();
    assert!(matches!(broken(&twice), Err(AuditError::Broken { line: 4, .. })));
    assert!(matches!(broken(&lines[..5]), Err(AuditError::NoHead(_))));
    touched = lines.clone();
    touched[2] = "torn";
    assert!(matches!(broken(&touched), Err(AuditError::Broken { line: 4, .. })));
}

#[test]
fn a_line_that_a_crash_cut_short_is_reported_and_the_chain_goes_on() {
    for cut in [1, 2, 50, 100] {
        let disk = Disk::new(10_000);
        let mut file = AuditFile::new(disk.clone(), b"");
        file.append(&call("nick")).unwrap();
        file.append(&call("eve")).unwrap();
        disk.with(|(bytes, _)| bytes.truncate(bytes.len() - cut));
        let torn = verify(disk.file().path(), None).unwrap();
        assert_eq!((torn.calls, torn.torn), (1, vec![2]), "{cut}");
        let end = disk.with(|(bytes, _)| bytes.clone());
        AuditFile::new(disk.clone(), &end).append(&call("ann")).unwrap();
        let verified = verify(disk.file().path(), None).unwrap();
        // Without its line feed, the record is whole.
        let (calls, torn) = if cut == 1 { (3, vec![]) } else { (2, vec![2]) };
        assert_eq!((verified.calls, verified.torn), (calls, torn), "{cut}");
    }
}

/// Waits until the thread has written or dropped everything.
fn finish(writer: Writer, disk: &Disk) -> tempfile::NamedTempFile {
    drop(writer);
    // The thread holds the last other handle of the disk.
    while Arc::strong_count(&disk.0) > 1 {
        std::thread::yield_now();
    }
    disk.file()
}

#[test]
fn on_a_full_disk_calls_are_refused_until_what_happened_is_written() {
    let disk = Disk::new(500);
    let writer = Writer::start(AuditFile::new(disk.clone(), b""), OnFailure::Refuse).unwrap();
    let places: Vec<_> = (0..4).map(|_| writer.begin().unwrap()).collect();
    places.into_iter().for_each(|place| place.write(call("nick")));
    while writer.begin().is_some() {
        std::thread::yield_now();
    }
    disk.with(|(_, room)| *room = 10_000);
    let place = loop {
        match writer.begin() {
            Some(place) => break place,
            None => std::thread::yield_now(),
        }
    };
    place.write(call("eve"));
    let verified = verify(finish(writer, &disk).path(), None).unwrap();
    assert_eq!((verified.calls, verified.dropped, verified.torn.len()), (5, 0, 1));
}

#[test]
fn records_that_a_full_disk_drops_are_counted_in_the_next() {
    let disk = Disk::new(500);
    let mut file = AuditFile::new(disk.clone(), b"");
    while file.append(&call("nick")).is_ok() {}
    let written = verify(disk.file().path(), None).unwrap().calls;
    let end = disk.with(|(bytes, _)| bytes.clone());
    let writer = Writer::start(AuditFile::new(disk.clone(), &end), OnFailure::Drop).unwrap();
    drop(file);
    for _ in 0..3 {
        writer.begin().unwrap().write(call("eve"));
    }
    writer.flush();
    disk.with(|(_, room)| *room = 10_000);
    writer.begin().unwrap().write(call("ann"));
    let verified = verify(finish(writer, &disk).path(), None).unwrap();
    assert_eq!((verified.calls, verified.dropped, verified.torn.len()), (written + 1, 3, 1));
}

#[test]
fn a_query_shows_the_records_that_fit() {
    let disk = Disk::new(10_000);
    let mut file = AuditFile::new(disk.clone(), b"");
    let failed = Record { time: 9, outcome: Some(Outcome::ToolError), ..call("eve") };
    for record in [call("nick"), failed, Record { event: Event::Dropped, ..Record::default() }] {
        file.append(&record).unwrap();
    }
    let shown = |query_: Query| {
        let mut out = Vec::new();
        query(disk.file().path(), &query_, &mut out).unwrap();
        String::from_utf8(out).unwrap().lines().count()
    };
    assert_eq!(shown(Query::default()), 2);
    assert_eq!(shown(Query { user: Some("eve".into()), ..Query::default() }), 1);
    assert_eq!(shown(Query { name: Some("echo".into()), ..Query::default() }), 2);
    assert_eq!(shown(Query { name: Some("ech".into()), ..Query::default() }), 0);
    assert_eq!(shown(Query { outcome: Some(Outcome::ToolError), ..Query::default() }), 1);
    assert_eq!(shown(Query { since: Some(8), ..Query::default() }), 1);
    assert_eq!(shown(Query { until: Some(8), ..Query::default() }), 1);
}
