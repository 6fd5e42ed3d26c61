//! What can go wrong between two ends of a TCP connection.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Stands between a server and its database, and does to what passes what it is told.
#[derive(Debug)]
pub struct Proxy {
    address: SocketAddr,
    state: Arc<State>,
}

/// What is lost of a commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lost {
    /// `COMMIT` itself never arrives.
    Commit,
    /// It arrives and is carried out, and the answer never comes back.
    Answer,
}

/// What the other side sees of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Then {
    /// The connection is cut.
    Cut,
    /// Nothing is heard any more, of any connection, until the proxy is healed.
    Silence,
}

#[derive(Debug, Default)]
struct State {
    now: Mutex<Now>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct Now {
    refuses: bool,
    swallows: bool,
    delay: Duration,
    /// What is to become of the next commit.
    losing: Option<(Lost, Then)>,
    open: Vec<TcpStream>,
    over: bool,
}

impl State {
    fn now(&self) -> MutexGuard<'_, Now> {
        self.now.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for as long as something is so.
    fn while_it(&self, is_so: impl Fn(&Now) -> bool) -> MutexGuard<'_, Now> {
        let wait = self.changed.wait_while(self.now(), |now| is_so(now) && !now.over);
        wait.unwrap_or_else(PoisonError::into_inner)
    }
}

impl Proxy {
    /// One that leads to `target` (`host:port`).
    pub fn to(target: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("an address");
        let state = Arc::new(State::default());
        let (of_thread, target) = (Arc::clone(&state), target.to_owned());
        std::thread::spawn(move || accept(listener, address, &of_thread, &target));
        Self { address, state }
    }

    /// Where it listens, as `host:port`.
    pub fn address(&self) -> String {
        self.address.to_string()
    }

    /// Breaks what is open, as when the other end is killed.
    pub fn cut(&self) {
        for stream in self.state.now().open.drain(..) {
            let _already = stream.shutdown(Shutdown::Both);
        }
    }

    /// Breaks what is open and refuses what is new, as when nobody listens any more.
    pub fn refuse(&self) {
        self.state.now().refuses = true;
        // The listener is awake when somebody comes.
        let _came = TcpStream::connect(self.address);
        while TcpStream::connect(self.address).is_ok() {}
        self.cut();
    }

    /// Lets nothing through and says nothing, as when a cable is pulled.
    pub fn swallow(&self) {
        self.state.now().swallows = true;
    }

    /// Loses the next commit, or its answer.
    pub fn lose(&self, lost: Lost, then: Then) {
        self.state.now().losing = Some((lost, then));
    }

    /// Whether that has happened.
    pub fn has_lost(&self) -> bool {
        self.state.now().losing.is_none()
    }

    /// Takes this long over each thing that passes, each way.
    pub fn delay(&self, by: Duration) {
        self.state.now().delay = by;
    }

    /// Everything is as it should be again; what was swallowed arrives late.
    pub fn heal(&self) {
        let mut now = self.state.now();
        (now.refuses, now.swallows, now.delay) = (false, false, Duration::ZERO);
        drop(now);
        self.state.changed.notify_all();
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.state.now().over = true;
        self.state.changed.notify_all();
        self.cut();
        let _came = TcpStream::connect(self.address);
    }
}

fn accept(mut listener: TcpListener, address: SocketAddr, state: &Arc<State>, target: &str) {
    loop {
        let Ok((near, _)) = listener.accept() else { return };
        let now = state.now();
        if now.over {
            return;
        }
        if now.refuses {
            drop((now, near, listener));
            if state.while_it(|now| now.refuses).over {
                return;
            }
            listener = TcpListener::bind(address).expect("its own port");
            continue;
        }
        drop(now);
        let Ok(far) = TcpStream::connect(target) else { continue };
        let _nodelay = (near.set_nodelay(true), far.set_nodelay(true));
        let unheard = Arc::new(AtomicBool::new(false));
        for (from, to, is_near) in [(&near, &far, true), (&far, &near, false)] {
            let clone = |stream: &TcpStream| stream.try_clone().expect("a socket has another name");
            let (from, to, state) = (clone(from), clone(to), Arc::clone(state));
            let unheard = Arc::clone(&unheard);
            std::thread::spawn(move || pass(from, to, &state, is_near, &unheard));
        }
        state.now().open.extend([near, far]);
    }
}

/// Passes on what comes, until either end is gone. `unheard` is of a connection whose answers are lost
/// from now on.
fn pass(
    mut from: TcpStream,
    mut to: TcpStream,
    state: &State,
    is_near: bool,
    unheard: &AtomicBool,
) {
    let mut buffer = [0; 16 * 1024];
    while let Ok(count) = from.read(&mut buffer) {
        let delay = state.while_it(|now| now.swallows).delay;
        if !delay.is_zero() {
            std::thread::sleep(delay);
        }
        let Some(bytes) = buffer.get(..count).filter(|bytes| !bytes.is_empty()) else { break };
        if !is_near && unheard.load(Ordering::SeqCst) {
            // The commit was carried out, and this is its answer.
            if lose(state) == Then::Cut { break } else { continue }
        }
        let losing = state.now().losing.filter(|_| is_near && commits(bytes));
        match losing {
            Some((Lost::Commit, _)) => {
                if lose(state) == Then::Cut {
                    break;
                } else {
                    continue;
                }
            }
            Some((Lost::Answer, _)) => unheard.store(true, Ordering::SeqCst),
            None => {}
        }
        if to.write_all(bytes).is_err() {
            break;
        }
    }
    let _already = (from.shutdown(Shutdown::Both), to.shutdown(Shutdown::Both));
}

fn commits(bytes: &[u8]) -> bool {
    bytes.windows(6).any(|word| word == b"COMMIT")
}

/// What was to be lost is lost; what becomes of the connection. Silence is for everybody.
fn lose(state: &State) -> Then {
    let mut now = state.now();
    match now.losing.take() {
        Some((_, Then::Silence)) => {
            now.swallows = true;
            Then::Silence
        }
        _ => Then::Cut,
    }
}
