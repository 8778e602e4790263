//! The network between the extension and a backend, which a test can cut, or have swallow everything.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{oneshot, watch};

use crate::wait;

const PIECE: usize = 64 << 10;

/// A port that leads to a backend's.
#[derive(Debug)]
pub struct Road {
    port: u16,
    way: watch::Sender<Way>,
    traffic: Arc<Mutex<Traffic>>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Way {
    /// Connections of an older generation are cut.
    generation: u64,
    swallows: bool,
}

#[derive(Debug, Default)]
struct Traffic {
    opened: u64,
    /// Open connections: whether the last bytes went towards the backend.
    unanswered: BTreeMap<u64, bool>,
}

impl Road {
    /// A road to a port of the loopback interface.
    ///
    /// # Panics
    ///
    /// When no port can be had.
    pub fn to(backend: u16) -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.unwrap_or_else(|error| panic!("no runtime for a road: {error}"));
        let listener = runtime.block_on(TcpListener::bind((Ipv4Addr::LOCALHOST, 0)));
        let listener = listener.unwrap_or_else(|error| panic!("a road has no port: {error}"));
        let port = listener.local_addr().map_or(0, |address| address.port());
        let way = watch::Sender::new(Way::default());
        let traffic = Arc::<Mutex<Traffic>>::default();
        let (stop, stopped) = oneshot::channel();
        let (watched, shared) = (way.clone(), Arc::clone(&traffic));
        let thread = std::thread::spawn(move || {
            runtime.block_on(async {
                tokio::select! {
                    () = accept(listener, backend, &watched, &shared) => {}
                    _ = stopped => {}
                }
            });
        });
        Self { port, way, traffic, stop: Some(stop), thread: Some(thread) }
    }

    /// Where the extension is to send.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Breaks every open connection with a reset, as a load balancer does that has forgotten it. New ones are let through.
    pub fn cut(&self) {
        self.way.send_modify(|way| way.generation += 1);
    }

    /// From now on takes connections and bytes, and gives neither an answer nor an end; cuts what was open before.
    pub fn swallow(&self) {
        self.way.send_modify(|way| *way = Way { generation: way.generation + 1, swallows: true });
    }

    /// Lets everything through again, on new connections.
    pub fn open(&self) {
        self.way.send_modify(|way| *way = Way { generation: way.generation + 1, swallows: false });
    }

    /// How many connections there have been.
    pub fn opened(&self) -> u64 {
        self.lock().opened
    }

    /// Open connections on which the backend has yet to say something. Of use where each carries one request at a time.
    pub fn unanswered(&self) -> usize {
        self.lock().unanswered.values().filter(|unanswered| **unanswered).count()
    }

    /// Waits until no request stands half-way: each has been answered, or its connection closed.
    ///
    /// # Panics
    ///
    /// When one is left after the patience of [`wait`].
    pub fn wait_until_clear(&self) {
        wait::until("every request to be answered or given up", || {
            (self.unanswered() == 0).then_some(())
        });
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Traffic> {
        self.traffic.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Road {
    fn drop(&mut self) {
        if let Some(stop) = self.stop.take() {
            // The thread may have ended by itself.
            let _ = stop.send(());
        }
        if let Some(thread) = self.thread.take() {
            // A road that panicked has said so on the terminal.
            let _ = thread.join();
        }
    }
}

async fn accept(
    listener: TcpListener,
    backend: u16,
    way: &watch::Sender<Way>,
    traffic: &Arc<Mutex<Traffic>>,
) {
    loop {
        let Ok((stream, _)) = listener.accept().await else { continue };
        let number = {
            let mut traffic = traffic.lock().unwrap_or_else(PoisonError::into_inner);
            traffic.opened += 1;
            let number = traffic.opened;
            traffic.unanswered.insert(number, false);
            number
        };
        let guard = Open { number, traffic: Arc::clone(traffic) };
        let watched = way.subscribe();
        tokio::spawn(carry(stream, backend, watched, guard));
    }
}

/// A connection's line in the account.
struct Open {
    number: u64,
    traffic: Arc<Mutex<Traffic>>,
}

impl Open {
    fn set(&self, unanswered: bool) {
        let mut traffic = self.traffic.lock().unwrap_or_else(PoisonError::into_inner);
        traffic.unanswered.insert(self.number, unanswered);
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        let mut traffic = self.traffic.lock().unwrap_or_else(PoisonError::into_inner);
        traffic.unanswered.remove(&self.number);
    }
}

async fn carry(mut client: TcpStream, port: u16, mut way: watch::Receiver<Way>, open: Open) {
    let Way { generation, swallows } = *way.borrow_and_update();
    let mut server = None;
    if !swallows {
        let Ok(stream) = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await else {
            reset(client);
            return;
        };
        // Neither end is to wait for more than it was given.
        let _ = stream.set_nodelay(true).and_then(|()| client.set_nodelay(true));
        server = Some(stream);
    }
    let ended = tokio::select! {
        ended = exchange(&mut client, server.as_mut(), &open) => ended,
        // The sender lives as long as this thread.
        _ = way.wait_for(|way| way.generation != generation) => Err(std::io::ErrorKind::ConnectionReset.into()),
    };
    if ended.is_err() {
        reset(client);
        server.into_iter().for_each(reset);
    }
}

/// Carries bytes both ways until the client closes its side or the backend the whole.
async fn exchange(
    client: &mut TcpStream,
    server: Option<&mut TcpStream>,
    open: &Open,
) -> std::io::Result<()> {
    let (mut up, mut down) = (vec![0; PIECE], vec![0; PIECE]);
    let Some(server) = server else {
        while client.read(&mut up).await? > 0 {
            open.set(true);
        }
        return Ok(());
    };
    loop {
        tokio::select! {
            read = client.read(&mut up) => match read? {
                0 => return Ok(()),
                length => {
                    open.set(true);
                    server.write_all(up.get(..length).unwrap_or_default()).await?;
                }
            },
            read = server.read(&mut down) => match read? {
                0 => return Ok(()),
                length => {
                    client.write_all(down.get(..length).unwrap_or_default()).await?;
                    open.set(false);
                }
            },
        }
    }
}

/// Closes without a farewell.
fn reset(stream: TcpStream) {
    // On a connection that the peer has reset already there is nothing to set.
    let _ = stream.set_zero_linger();
    drop(stream);
}
