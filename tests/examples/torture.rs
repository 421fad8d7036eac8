//! `torture`: races, crashes, rotations and random interleavings at length. `make torture` runs it.

use std::{
    io,
    time::{Duration, Instant},
};

use clap::{Parser, ValueEnum};
use net::shutdown::stop_signal;
use tests::{
    stack::Engine,
    torture::{
        crashes, full_disk, model, races, report, rotation, secrets, seeded::Seeded,
        small_disk::Failure,
    },
};

/// Proves what docs/reliability.md states. Stops at the first thing that must not be.
#[derive(Parser)]
struct Options {
    /// What to prove; everything if left out.
    proofs: Vec<Proof>,
    /// On which engine; on both if left out.
    #[arg(long)]
    engine: Option<EngineName>,
    /// Where random choices start; a fresh one if left out.
    #[arg(long)]
    seed: Option<u64>,
    /// Turns of the model.
    #[arg(long, default_value_t = 20_000)]
    turns: usize,
    /// Codes, and refresh tokens, that are raced for.
    #[arg(long, default_value_t = 10_000)]
    rounds: usize,
    /// Callers of each race.
    #[arg(long, default_value_t = 64)]
    callers: usize,
    /// Kills.
    #[arg(long, default_value_t = 200)]
    kills: usize,
    /// Times that the disk is full.
    #[arg(long, default_value_t = 100)]
    fills: usize,
    /// Seconds of rotation.
    #[arg(long, default_value_t = 600)]
    seconds: u64,
    /// Seconds between the restarts of two replicas with a new master secret.
    #[arg(long, default_value_t = 20)]
    apart: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Proof {
    Model,
    Codes,
    Refresh,
    Crashes,
    FullDisk,
    IoErrors,
    Rotation,
    Secrets,
}

#[derive(Clone, Copy, ValueEnum)]
enum EngineName {
    Sqlite,
    Postgres,
}

#[tokio::main]
async fn main() -> io::Result<()> {
    let options = Options::parse();
    let stopped = stop_signal()?;
    // What is dropped half-way takes its processes and its databases along.
    tokio::select! {
        () = prove(&options) => {}
        () = stopped => report("stopped"),
    }
    Ok(())
}

async fn prove(options: &Options) {
    let seed = options.seed.unwrap_or_else(Seeded::fresh_seed);
    report(&format!("seed {seed}"));
    let engines = match options.engine {
        None => Engine::ALL.to_vec(),
        Some(EngineName::Sqlite) => vec![Engine::Sqlite],
        Some(EngineName::Postgres) => vec![Engine::Postgres],
    };
    let proofs = if options.proofs.is_empty() {
        Proof::value_variants().to_vec()
    } else {
        options.proofs.clone()
    };
    for proof in proofs {
        for engine in engines.iter().copied().filter(|engine| proof.is_about(*engine)) {
            report(&format!("{proof:?} on {engine:?}"));
            let start = Instant::now();
            let figures = proof.run(engine, options, seed).await;
            let seconds = start.elapsed().as_secs();
            report(&format!("{proof:?} on {engine:?} holds, after {seconds} s: {figures}"));
        }
    }
}

impl Proof {
    /// PostgreSQL stops when its disk is full; what it acknowledged is its own to keep.
    fn is_about(self, engine: Engine) -> bool {
        engine == Engine::Sqlite || !matches!(self, Self::FullDisk | Self::IoErrors)
    }

    /// What was done until it was proved.
    async fn run(self, engine: Engine, options: &Options, seed: u64) -> String {
        let size = races::Size { rounds: options.rounds, callers: options.callers };
        match self {
            Self::Model => format!("{:?}", model::run(engine, options.turns, seed).await),
            Self::Codes => {
                races::redeem_codes(engine, size).await;
                format!("{size:?}")
            }
            Self::Refresh => {
                races::refresh(engine, size).await;
                format!("{size:?}")
            }
            Self::Crashes => format!("{:?}", crashes::run(engine, options.kills, seed).await),
            Self::FullDisk => {
                format!("{:?}", full_disk::run(Failure::NoSpace, options.fills, seed).await)
            }
            Self::IoErrors => {
                format!("{:?}", full_disk::run(Failure::FileTooLarge, options.fills, seed).await)
            }
            Self::Rotation => {
                let length = Duration::from_secs(options.seconds);
                format!("{:?}", rotation::run(engine, 2, length).await)
            }
            // SQLite is for one process.
            Self::Secrets if engine == Engine::Sqlite => "nothing to roll".to_owned(),
            Self::Secrets => {
                let apart = Duration::from_secs(options.apart);
                // Longer than a replica that is gone counts as there.
                let settle = Duration::from_secs(75);
                let roll = |bottom_first| secrets::Roll { apart, settle, bottom_first };
                format!("{:?}", secrets::run(&[roll(false), roll(true)]).await)
            }
        }
    }
}
