//! What can go wrong between two ends of a TCP connection.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Stands between a server and its database, and does to what passes what it is told.
#[derive(Debug)]
pub struct Proxy {
    address: SocketAddr,
    state: Arc<State>,
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
        for (from, to) in [(&near, &far), (&far, &near)] {
            let clone = |stream: &TcpStream| stream.try_clone().expect("a socket has another name");
            let (from, to, state) = (clone(from), clone(to), Arc::clone(state));
            std::thread::spawn(move || pass(from, to, &state));
        }
        state.now().open.extend([near, far]);
    }
}

fn pass(mut from: TcpStream, mut to: TcpStream, state: &State) {
    let mut buffer = [0; 16 * 1024];
    while let Ok(count) = from.read(&mut buffer) {
        let delay = state.while_it(|now| now.swallows).delay;
        if !delay.is_zero() {
            std::thread::sleep(delay);
        }
        let passed = buffer.get(..count).filter(|bytes| !bytes.is_empty());
        if passed.is_none_or(|bytes| to.write_all(bytes).is_err()) {
            break;
        }
    }
    let _already = (from.shutdown(Shutdown::Both), to.shutdown(Shutdown::Both));
}
