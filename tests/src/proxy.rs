//! TCP proxy that injects faults between a server and its database.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// A proxy that forwards connections, or delays, stops or cuts them.
#[derive(Debug)]
pub struct Proxy {
    address: SocketAddr,
    state: Arc<State>,
}

/// Part of a commit that is lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CommitLoss {
    /// `COMMIT` never reaches the database.
    Request,
    /// The database commits, and its response never reaches the server.
    Response,
}

/// Behaviour of the connection after the loss.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AfterLoss {
    /// The connection is closed.
    Disconnect,
    /// No connection forwards anything until [`Proxy::restore`].
    Hang,
}

#[derive(Debug, Default)]
struct State {
    faults: Mutex<Faults>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct Faults {
    refuses_connections: bool,
    hangs: bool,
    delay: Duration,
    /// Fault for the next commit.
    next_commit: Option<(CommitLoss, AfterLoss)>,
    open: Vec<TcpStream>,
    is_closed: bool,
}

impl State {
    fn lock(&self) -> MutexGuard<'_, Faults> {
        self.faults.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits while a condition holds and the proxy is open.
    fn wait_while(&self, condition: impl Fn(&Faults) -> bool) -> MutexGuard<'_, Faults> {
        let wait =
            self.changed.wait_while(self.lock(), |faults| condition(faults) && !faults.is_closed);
        wait.unwrap_or_else(PoisonError::into_inner)
    }
}

impl Proxy {
    /// Starts a proxy to `target` (`host:port`).
    pub fn to(target: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("an address");
        let state = Arc::new(State::default());
        let thread_state = Arc::clone(&state);
        let target = target.to_owned();
        std::thread::spawn(move || accept_connections(listener, address, &thread_state, &target));
        Self { address, state }
    }

    /// Address of the proxy as `host:port`.
    pub fn address(&self) -> String {
        self.address.to_string()
    }

    /// Closes all open connections, like a database server that is killed.
    pub fn disconnect_all(&self) {
        for stream in self.state.lock().open.drain(..) {
            // The peer may have closed the connection.
            stream.shutdown(Shutdown::Both).ok();
        }
    }

    /// Closes all open connections and refuses new ones, like a stopped database server.
    pub fn refuse_connections(&self) {
        self.state.lock().refuses_connections = true;
        // Wakes the accepting thread, so that it notices the change.
        TcpStream::connect(self.address).ok();
        while TcpStream::connect(self.address).is_ok() {}
        self.disconnect_all();
    }

    /// Stops forwarding on all connections, like a pulled cable.
    pub fn hang(&self) {
        self.state.lock().hangs = true;
    }

    /// Loses the next `COMMIT` or its response.
    pub fn lose_next_commit(&self, loss: CommitLoss, after: AfterLoss) {
        self.state.lock().next_commit = Some((loss, after));
    }

    /// `true` once the fault of [`Proxy::lose_next_commit`] has happened.
    pub fn has_lost_commit(&self) -> bool {
        self.state.lock().next_commit.is_none()
    }

    /// Delays everything that is forwarded by this long, in each direction.
    pub fn delay(&self, by: Duration) {
        self.state.lock().delay = by;
    }

    /// Ends all faults. Held-back data is forwarded now.
    pub fn restore(&self) {
        let mut faults = self.state.lock();
        faults.refuses_connections = false;
        faults.hangs = false;
        faults.delay = Duration::ZERO;
        drop(faults);
        self.state.changed.notify_all();
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.state.lock().is_closed = true;
        self.state.changed.notify_all();
        self.disconnect_all();
        // Wakes the accepting thread, so that it ends.
        TcpStream::connect(self.address).ok();
    }
}

fn accept_connections(
    mut listener: TcpListener,
    address: SocketAddr,
    state: &Arc<State>,
    target: &str,
) {
    loop {
        let Ok((near, _)) = listener.accept() else { return };
        let faults = state.lock();
        if faults.is_closed {
            return;
        }
        if faults.refuses_connections {
            drop((faults, near, listener));
            if state.wait_while(|faults| faults.refuses_connections).is_closed {
                return;
            }
            listener = TcpListener::bind(address).expect("the port is free again");
            continue;
        }
        drop(faults);
        let Ok(far) = TcpStream::connect(target) else { continue };
        // Only latency depends on it.
        near.set_nodelay(true).ok();
        far.set_nodelay(true).ok();
        let response_lost = Arc::new(AtomicBool::new(false));
        for (from, to, is_near) in [(&near, &far, true), (&far, &near, false)] {
            let clone = |stream: &TcpStream| stream.try_clone().expect("a socket can be cloned");
            let (from, to, state) = (clone(from), clone(to), Arc::clone(state));
            let response_lost = Arc::clone(&response_lost);
            std::thread::spawn(move || forward(from, to, &state, is_near, &response_lost));
        }
        state.lock().open.extend([near, far]);
    }
}

/// Forwards bytes until either end closes. `response_lost` is shared by the two directions of a
/// connection: once it is set, bytes from the database are dropped.
fn forward(
    mut from: TcpStream,
    mut to: TcpStream,
    state: &State,
    is_near: bool,
    response_lost: &AtomicBool,
) {
    let mut buffer = [0; 16 * 1024];
    while let Ok(count) = from.read(&mut buffer) {
        let delay = state.wait_while(|faults| faults.hangs).delay;
        if !delay.is_zero() {
            std::thread::sleep(delay);
        }
        let Some(bytes) = buffer.get(..count).filter(|bytes| !bytes.is_empty()) else { break };
        if !is_near && response_lost.load(Ordering::SeqCst) {
            // These bytes are the response to the commit.
            if apply_loss(state) == AfterLoss::Disconnect { break } else { continue }
        }
        let next_commit = state.lock().next_commit.filter(|_| is_near && contains_commit(bytes));
        match next_commit {
            Some((CommitLoss::Request, _)) => {
                if apply_loss(state) == AfterLoss::Disconnect {
                    break;
                } else {
                    continue;
                }
            }
            Some((CommitLoss::Response, _)) => response_lost.store(true, Ordering::SeqCst),
            None => {}
        }
        if to.write_all(bytes).is_err() {
            break;
        }
    }
    // Either end may have closed the connection.
    from.shutdown(Shutdown::Both).ok();
    to.shutdown(Shutdown::Both).ok();
}

fn contains_commit(bytes: &[u8]) -> bool {
    bytes.windows(6).any(|word| word == b"COMMIT")
}

/// Marks the fault as done and returns the behaviour of the connection. A hang affects all connections.
fn apply_loss(state: &State) -> AfterLoss {
    let mut faults = state.lock();
    match faults.next_commit.take() {
        Some((_, AfterLoss::Hang)) => {
            faults.hangs = true;
            AfterLoss::Hang
        }
        _ => AfterLoss::Disconnect,
    }
}
