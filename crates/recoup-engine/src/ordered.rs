//! Chunks through several threads at once, given out in the order in which they were taken.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::mpsc::{Receiver, sync_channel};
use std::sync::{Condvar, Mutex, PoisonError};
use std::thread;

/// Lets no thread run further ahead of what was given out than a few chunks, so that a slow consumer slows
/// the reader down and memory stays bounded.
struct Gate {
    given_out: Mutex<u64>,
    moved: Condvar,
    ahead: u64,
}

impl Gate {
    fn wait_for(&self, number: u64) {
        let mut given_out = self.given_out.lock().unwrap_or_else(PoisonError::into_inner);
        while number >= given_out.saturating_add(self.ahead) {
            given_out = self.moved.wait(given_out).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn open_to(&self, number: u64) {
        *self.given_out.lock().unwrap_or_else(PoisonError::into_inner) = number;
        self.moved.notify_all();
    }
}

/// Takes chunks one after the other, has `threads` threads work on them, each with a state of its own, and
/// gives what comes out to `sink` in the order of the chunks, until there are no more or the sink breaks off.
/// Chunks are numbered from 0.
pub(crate) fn in_order<Chunk, State, Made: Send>(
    threads: usize,
    take: impl FnMut() -> Option<Chunk> + Send,
    state: impl Fn() -> State + Sync,
    work: impl Fn(&mut State, u64, Chunk) -> Made + Sync,
    mut sink: impl FnMut(Made) -> ControlFlow<()>,
) {
    let threads = threads.max(1);
    let source = Mutex::new((0_u64, take));
    let gate = Gate { given_out: Mutex::new(0), moved: Condvar::new(), ahead: threads as u64 + 2 };
    let (send, receive) = sync_channel::<(u64, Made)>(threads);
    thread::scope(|scope| {
        for _ in 0..threads {
            let send = send.clone();
            let (source, gate, state, work) = (&source, &gate, &state, &work);
            scope.spawn(move || {
                let mut state = state();
                loop {
                    let taken = {
                        let mut source = source.lock().unwrap_or_else(PoisonError::into_inner);
                        let (next, take) = &mut *source;
                        // Nobody reads before there is room for what is read.
                        gate.wait_for(*next);
                        take().map(|chunk| {
                            *next += 1;
                            (*next - 1, chunk)
                        })
                    };
                    let Some((number, chunk)) = taken else { break };
                    if send.send((number, work(&mut state, number, chunk))).is_err() {
                        break;
                    }
                }
            });
        }
        drop(send);
        give_out(receive, &gate, &mut sink);
        // However it ended, nobody is left waiting.
        gate.open_to(u64::MAX);
    });
}

#[allow(clippy::needless_pass_by_value, reason = "dropping the receiver tells the threads to stop")]
fn give_out<Made>(receive: Receiver<(u64, Made)>, gate: &Gate, sink: &mut impl FnMut(Made) -> ControlFlow<()>) {
    let mut waiting = BTreeMap::new();
    let mut next = 0;
    while let Ok((number, made)) = receive.recv() {
        waiting.insert(number, made);
        while let Some(made) = waiting.remove(&next) {
            if sink(made).is_break() {
                return;
            }
            next += 1;
            gate.open_to(next);
        }
    }
}
