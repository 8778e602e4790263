//! The receiver's life: its two ports opened and drained.

use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use http::Request;
use net::server::{self, Peer, Server, ServerSettings};
use pdata::Signal;
use pipeline::{
    BoxFuture, BuildError, Component, Context, Deadline, Outlets, Receiver, StartError, Tasks,
    TransportAddress,
};
use tokio::net::UdpSocket;

use crate::config::Config;
use crate::intake::{Intake, Queue, queue};
use crate::proxy::Forwarder;

/// The longest datagram.
const DATAGRAM_BYTES_MAX: usize = 64 << 10;
/// Datagrams that are read from a port that is closed.
const LEFT_MAX: usize = 1000;
/// How long a port that can't be read is left alone.
const PAUSE: Duration = Duration::from_millis(100);

/// The receiver.
pub(crate) struct XRayReceiver {
    config: Arc<Config>,
    context: Context,
    intake: Arc<Intake>,
    running: Mutex<Option<Open>>,
}

/// Open ports. The listeners keep their addresses for a successor.
struct Open {
    server: Server,
    forwarder: Arc<Forwarder>,
    _listener: pipeline::Listener,
    _datagrams: pipeline::DatagramSocket,
}

impl XRayReceiver {
    /// The receiver, not yet started.
    pub(crate) fn try_new(
        config: Arc<Config>,
        context: Context,
        outlets: &Outlets,
    ) -> Result<Self, BuildError> {
        let next = outlets.get(Signal::Traces).cloned().ok_or_else(|| {
            BuildError(format!("receiver \"{}\" is in no pipeline of traces", context.id))
        })?;
        let intake = Arc::new(Intake::new(&context, next));
        Ok(Self { config, context, intake, running: Mutex::default() })
    }

    fn open(&self) -> Result<Open, StartError> {
        let datagrams = self.context.listen_udp(&self.config.endpoint)?;
        let address = TransportAddress::Tcp(self.config.proxy.server.address.bind_address());
        let listener = self.context.listen(&address)?;
        let unusable = |error| StartError(format!("cannot use the socket for {address}: {error}"));
        let socket = match listener.socket.try_clone().map_err(unusable)? {
            pipeline::Socket::Tcp(socket) => server::Listener::Tcp(socket),
            pipeline::Socket::Unix(socket) => server::Listener::Unix(socket),
        };
        let forwarder = Arc::new(Forwarder::new(&self.config.proxy, &self.context));
        let handler = server::handler_fn({
            let forwarder = forwarder.clone();
            move |request: Request<_>, _: Arc<Peer>| {
                let forwarder = forwarder.clone();
                async move { forwarder.answer(request).await }
            }
        });
        let settings = ServerSettings::http(self.context.id.to_string(), &self.config.proxy.server);
        let server = Server::serve(vec![socket], settings, handler)
            .map_err(|error| StartError(format!("cannot serve {address}: {error}")))?;
        self.read(&datagrams)?;
        tracing::info!(
            "otelcol.component.id" = %self.context.id,
            endpoint = %self.config.endpoint,
            proxy = %address,
            "Taking X-Ray segments over UDP, and questions about sampling over TCP"
        );
        Ok(Open { server, forwarder, _listener: listener, _datagrams: datagrams })
    }

    /// Starts the tasks that read the port and hand on what is read.
    fn read(&self, datagrams: &pipeline::DatagramSocket) -> Result<(), StartError> {
        let clone = || datagrams.socket.try_clone();
        let sockets =
            clone().and_then(UdpSocket::from_std).and_then(|socket| Ok((socket, clone()?)));
        let (socket, left) = sockets.map_err(|error| {
            StartError(format!("cannot use the socket for {}: {error}", self.config.endpoint))
        })?;
        let (queue, waiting) = queue();
        let tasks = &self.context.tasks;
        let (intake, of_reader) = (self.intake.clone(), tasks.clone());
        tasks.spawn("datagrams", async move {
            read(&socket, &intake, &queue, &of_reader).await;
            read_left(&left, &intake, &queue);
        });
        let (intake, of_worker) = (self.intake.clone(), tasks.clone());
        tasks.spawn("segments", async move {
            intake.hand_on(waiting, || of_worker.is_stopping()).await;
        });
        Ok(())
    }
}

/// Reads datagrams until the tasks are to stop.
async fn read(socket: &UdpSocket, intake: &Intake, queue: &Queue, tasks: &Tasks) {
    let mut buffer = vec![0; DATAGRAM_BYTES_MAX];
    let mut stopped = pin!(tasks.stopped());
    loop {
        let received = tokio::select! {
            biased;
            () = &mut stopped => break,
            received = socket.recv(&mut buffer) => received,
        };
        match received {
            Ok(len) => intake.take(buffer.get(..len).unwrap_or_default(), queue),
            Err(error) => {
                intake.report_unreadable(&error);
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
}

/// Reads the datagrams that have come already. Past the runtime, which may not know of them yet.
fn read_left(socket: &std::net::UdpSocket, intake: &Intake, queue: &Queue) {
    let mut buffer = vec![0; DATAGRAM_BYTES_MAX];
    for _ in 0..LEFT_MAX {
        let Ok(len) = socket.recv(&mut buffer) else { break };
        intake.take(buffer.get(..len).unwrap_or_default(), queue);
    }
}

impl Component for XRayReceiver {
    fn start(&self) -> BoxFuture<'_, Result<(), StartError>> {
        Box::pin(async {
            let open = self.open()?;
            *self.running.lock().unwrap_or_else(PoisonError::into_inner) = Some(open);
            Ok(())
        })
    }

    fn shutdown(&self, deadline: Deadline) -> BoxFuture<'_, usize> {
        Box::pin(async move {
            let open = self.running.lock().unwrap_or_else(PoisonError::into_inner).take();
            self.context.tasks.stop();
            let (segments, ()) = tokio::join!(
                async {
                    self.context.tasks.join(deadline).await;
                    self.intake.give_up()
                },
                async {
                    let Some(Open { server, forwarder, .. }) = open else { return };
                    // An SDK asks again; it does not have to be waited for.
                    let _cut = server.shutdown(deadline.instant()).await;
                    forwarder.close().await;
                }
            );
            segments
        })
    }
}

impl Receiver for XRayReceiver {}

#[cfg(test)]
mod tests;
