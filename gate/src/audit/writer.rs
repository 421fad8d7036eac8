//! Writes records in a thread of its own, so that no call waits for the disk.

use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
        mpsc::{self, Receiver, Sender},
    },
    thread,
    time::Duration,
};

use super::{
    file::{AuditFile, Storage},
    record::{Event, Record},
};
use crate::config::audit::OnFailure;

/// Most calls whose records are not on the disk yet, in progress or waiting to be written.
const MAX_PENDING: usize = 10_000;
/// Most records between two syncs.
const MAX_BATCH: usize = 1_000;
/// The pause after a failure, such as a full disk.
const RETRY_INTERVAL: Duration = Duration::from_secs(1);
/// How often a gate that stops looks whether everything is written, and the time between two looks.
const MAX_FLUSH_LOOKS: u32 = 200;
const FLUSH_INTERVAL: Duration = Duration::from_millis(10);

/// Takes records for the file. Cheap to clone.
#[derive(Clone, Debug)]
pub(super) struct Writer {
    records: Sender<Record>,
    state: Arc<State>,
    on_failure: OnFailure,
}

#[derive(Debug, Default)]
struct State {
    is_failing: AtomicBool,
    pending: AtomicUsize,
}

/// A place for the record of a call. Dropping it without a record gives it back.
#[derive(Debug)]
pub(super) struct Place {
    writer: Writer,
    is_taken: bool,
}

impl Writer {
    /// Starts the thread. It ends when the last writer and place are dropped and everything is written.
    pub(super) fn start<S: Storage>(file: AuditFile<S>, on_failure: OnFailure) -> io::Result<Self> {
        let (records, received) = mpsc::channel();
        let state = Arc::new(State::default());
        let mut task = Task { file, received, state: state.clone(), on_failure, dropped: 0 };
        thread::Builder::new().name("audit".into()).spawn(move || task.run())?;
        Ok(Self { records, state, on_failure })
    }

    /// A place for the record of a new call. `None` if calls must be refused, because what happened could
    /// not be written down.
    pub(super) fn begin(&self) -> Option<Place> {
        let State { is_failing, pending } = &*self.state;
        let place = Place { writer: self.clone(), is_taken: false };
        let has_room = pending.fetch_add(1, Ordering::AcqRel) < MAX_PENDING;
        let is_refused = self.on_failure == OnFailure::Refuse
            && (!has_room || is_failing.load(Ordering::Acquire));
        (!is_refused).then_some(place)
    }

    /// Waits for what is not written yet, within a limit.
    pub(super) fn flush(&self) {
        for _ in 0..MAX_FLUSH_LOOKS {
            if self.state.pending.load(Ordering::Acquire) == 0 {
                return;
            }
            thread::park_timeout(FLUSH_INTERVAL);
        }
    }
}

impl Place {
    pub(super) fn write(mut self, record: Record) {
        self.is_taken = true;
        if self.writer.records.send(record).is_err() {
            tracing::error!("the thread of the audit has ended");
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if !self.is_taken {
            self.writer.state.pending.fetch_sub(1, Ordering::AcqRel);
        }
    }
}

/// The thread.
struct Task<S> {
    file: AuditFile<S>,
    received: Receiver<Record>,
    state: Arc<State>,
    on_failure: OnFailure,
    dropped: u64,
}

impl<S: Storage> Task<S> {
    fn run(&mut self) {
        while let Ok(first) = self.received.recv() {
            let more = self.received.try_iter().take(MAX_BATCH - 1);
            let batch: Vec<Record> = std::iter::once(first).chain(more).collect();
            self.write(&batch);
            self.state.pending.fetch_sub(batch.len(), Ordering::AcqRel);
        }
        tracing::info!(head = self.file.head(), "the audit ends");
    }

    /// Writes a batch. Without room for it, the batch is kept and calls are refused, or it is dropped and
    /// counted.
    fn write(&mut self, batch: &[Record]) {
        let mut written = 0;
        while let Err(error) = self.try_write(batch, &mut written) {
            let was_failing = self.state.is_failing.swap(true, Ordering::AcqRel);
            if !was_failing {
                tracing::error!(%error, "the audit cannot be written");
            }
            if self.on_failure == OnFailure::Drop {
                let lost = batch.len() - written;
                self.dropped += u64::try_from(lost).unwrap_or(u64::MAX);
                return;
            }
            thread::park_timeout(RETRY_INTERVAL);
        }
        if self.state.is_failing.swap(false, Ordering::AcqRel) {
            tracing::info!("the audit is written again");
        }
    }

    fn try_write(&mut self, batch: &[Record], written: &mut usize) -> io::Result<()> {
        if let Some(first) = batch.first().filter(|_| self.dropped > 0) {
            let count = Some(self.dropped);
            let gap =
                Record { time: first.time, event: Event::Dropped, count, ..Record::default() };
            self.file.append(&gap)?;
            self.dropped = 0;
        }
        for record in batch.get(*written..).unwrap_or_default() {
            self.file.append(record)?;
            *written += 1;
        }
        self.file.sync()
    }
}
