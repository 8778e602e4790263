use std::future::Future;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::Poll;
use std::time::Duration;

use http::{Request, Response};
use socket2::{Domain, Socket, Type};
use tokio::sync::mpsc;
use tokio::time::advance;

use super::lease::{Connection, Sender, Usage};
use super::shared::Shared;
use super::{Http2, Link, Pool, PoolSettings, lock};
use crate::ReplyBody;
use crate::client::Environment;
use crate::client::connect::Connector;
use crate::client::first_bytes::FirstBytes;
use crate::client::rope::Rope;
use crate::client::target::{Place, Target};
use crate::error::{Cause, TransportError, Wanted};
use crate::server::{Listener, Peer, Server, handler_fn};
use crate::testing::{nobody, settings, soon, within};
use crate::tls::ClientTls;

/// A server that tells its own and its peer's address for every request.
fn telling(port: u16, told: mpsc::Sender<[SocketAddr; 2]>) -> (SocketAddr, Server) {
    let listener = std::net::TcpListener::bind(("127.0.0.1", port)).unwrap();
    let address = listener.local_addr().unwrap();
    let handler = handler_fn(move |_, peer: Arc<Peer>| {
        told.try_send([address, peer.address.unwrap()]).unwrap();
        async { Response::new(ReplyBody::empty()) }
    });
    (address, Server::serve(vec![Listener::Tcp(listener)], settings(), handler).unwrap())
}

fn pool(addresses: Vec<SocketAddr>, balance: bool) -> Pool {
    pool_of(addresses, Http2::Always, balance)
}

fn pool_of(addresses: Vec<SocketAddr>, http2: Http2, balance: bool) -> Pool {
    let tls = Arc::new(ClientTls::new(&Default::default(), &[], &Environment::default()));
    let connector = Connector {
        tls: tls.clone(),
        proxy_tls: tls,
        proxy_url: None,
        environment: Environment::default(),
        wanted: Wanted::Grpc,
        addresses,
    };
    let settings = PoolSettings {
        http2,
        max_idle: 0,
        max_busy: None,
        idle_timeout: None,
        keep_alive: true,
        stale_after: None,
        ping: None,
        balance,
    };
    Pool::new(connector, settings)
}

fn target() -> Target {
    Target { place: Place::Tcp { host: "collector.example".into(), port: 4317 }, tls: false }
}

fn request() -> Request<Rope> {
    let request = Request::post("http://collector.example/");
    request.body(Rope::new(Vec::new().into())).unwrap()
}

async fn send(pool: &Pool) -> Result<(), TransportError> {
    let build = |_: &_| Ok(request());
    within("an answer", pool.exchange(&target(), soon(), build)).await.map(drop)
}

#[tokio::test]
async fn request_that_a_dying_connection_did_not_take_goes_over_a_new_one() {
    let (sender, mut told) = mpsc::channel(100);
    let (address, _server) = telling(0, sender);
    let pool = pool_of(vec![address], Http2::IfAgreed, false);
    let target = target();
    let (near, _far) = tokio::io::duplex(1024);
    let (sender, mut connection) =
        hyper::client::conn::http1::handshake(hyper_util::rt::TokioIo::new(near)).await.unwrap();
    // Driven once, it is ready for a request.
    assert!(
        std::future::poll_fn(|cx| Poll::Ready(Pin::new(&mut connection).poll(cx).is_pending()))
            .await
    );
    let link = Link {
        target: target.clone(),
        address: None,
        first: FirstBytes::default(),
        through: None,
        is_http2: false,
    };
    let usage = Arc::new(Usage::new());
    let kept = Connection { sender: Sender::Http1(sender), link: Arc::new(link), usage };
    lock(&pool.target(&target).idle).push(kept);
    let dying = Mutex::new(Some(connection));
    let build = |_: &_| {
        lock(&dying).take();
        Ok(request())
    };
    let (response, _lease) =
        within("an answer", pool.exchange(&target, soon(), build)).await.unwrap();
    assert_eq!(response.status(), 200);
    assert_eq!(told.try_recv().unwrap()[0], address);
}

#[tokio::test]
async fn requests_go_to_all_addresses_in_turn_over_one_connection_each() {
    let (sender, mut told) = mpsc::channel(100);
    let (first, _one) = telling(0, sender.clone());
    let (second, _two) = telling(0, sender);
    let pool = pool(vec![first, second], true);
    for _ in 0..6 {
        send(&pool).await.unwrap();
    }
    let mut order = Vec::new();
    while let Ok([server, _]) = told.try_recv() {
        order.push(server);
    }
    assert_eq!(order.len(), 6);
    assert!(
        order.chunks(2).all(|pair| pair.contains(&first) && pair.contains(&second)),
        "{order:?}"
    );
    within("the pool", pool.close()).await;
}

#[tokio::test]
async fn first_address_that_answers_is_kept_without_balancing() {
    let (sender, mut told) = mpsc::channel(100);
    let (alive, _server) = telling(0, sender);
    let pool = pool(vec![nobody(), alive], false);
    for _ in 0..3 {
        send(&pool).await.unwrap();
        assert_eq!(told.try_recv().unwrap()[0], alive);
    }
}

#[tokio::test(start_paused = true)]
async fn address_that_cannot_be_reached_is_passed_over_and_tried_again_later() {
    let (sender, mut told) = mpsc::channel(100);
    let (alive, _server) = telling(0, sender.clone());
    let dead = nobody();
    let pool = pool(vec![dead, alive], true);
    for _ in 0..4 {
        send(&pool).await.unwrap();
        assert_eq!(told.recv().await.unwrap()[0], alive);
    }
    let (_, _risen) = telling(dead.port(), sender);
    advance(Duration::from_secs(6)).await;
    let mut seen = Vec::new();
    for _ in 0..4 {
        send(&pool).await.unwrap();
        seen.push(told.recv().await.unwrap()[0]);
    }
    assert!(seen.contains(&dead) && seen.contains(&alive), "{seen:?}");
}

/// A socket whose queue of connections is full, so that the kernel drops what comes: a black hole.
/// It is one as long as what is returned with it lives.
fn black_hole() -> (SocketAddr, Vec<Socket>) {
    let any: SocketAddr = "127.0.0.1:0".parse().unwrap();
    let hole = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    hole.bind(&any.into()).unwrap();
    hole.listen(0).unwrap();
    let address = hole.local_addr().unwrap();
    let mut held = vec![hole];
    for _ in 0..3 {
        let filler = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
        filler.set_nonblocking(true).unwrap();
        // It is under way, which is all that is wanted of it.
        let _under_way = filler.connect(&address);
        held.push(filler);
    }
    (address.as_socket().unwrap(), held)
}

#[tokio::test(start_paused = true)]
async fn address_that_swallows_everything_takes_its_share_of_the_time_only() {
    let (sender, mut told) = mpsc::channel(100);
    let (alive, _server) = telling(0, sender);
    for balance in [false, true] {
        let (hole, _held) = black_hole();
        send(&pool(vec![hole, alive], balance)).await.unwrap();
        assert_eq!(told.try_recv().unwrap()[0], alive);
    }
}

#[test]
fn name_with_very_many_addresses_is_not_connected_to_at_all_of_them() {
    let mut shared = Shared::default();
    let address = |port| SocketAddr::from(([127, 0, 0, 1], port));
    shared.resolve((1..100).map(address).collect());
    assert_eq!(shared.wanting().len(), 16);
    shared.resolve(vec![address(1), address(1)]);
    assert_eq!(shared.wanting(), [address(1)], "twice the same is once");
}

#[tokio::test]
async fn when_no_address_can_be_reached_the_error_names_one_and_the_next_try_begins_anew() {
    let (dead, also_dead) = (nobody(), nobody());
    let pool = pool(vec![dead, also_dead], true);
    for _ in 0..3 {
        let error = send(&pool).await.unwrap_err();
        assert!(matches!(error.cause, Cause::Refused { .. }), "{error}");
        assert!(error.peer.starts_with("collector.example:4317 (127.0.0.1:"), "{error}");
    }
    let (sender, _told) = mpsc::channel(100);
    let (_, _risen) = telling(dead.port(), sender);
    assert!(send(&pool).await.is_ok());
}

#[tokio::test]
async fn many_first_requests_open_one_shared_connection() {
    let (sender, mut told) = mpsc::channel(100);
    let (address, _server) = telling(0, sender);
    let pool = Arc::new(pool(vec![address], false));
    let sends: Vec<_> = (0..20)
        .map(|_| {
            let pool = pool.clone();
            tokio::spawn(async move { send(&pool).await })
        })
        .collect();
    for send in sends {
        send.await.unwrap().unwrap();
    }
    let mut peers = Vec::new();
    while let Ok([_, peer]) = told.try_recv() {
        peers.push(peer);
    }
    assert_eq!(peers.len(), 20);
    peers.dedup();
    assert_eq!(peers.len(), 1, "over one connection");
}

#[tokio::test]
async fn connection_that_is_idle_for_too_long_by_either_clock_is_not_used_again() {
    for (http2, stale_after, connections) in [
        (Http2::Always, None, 1),
        (Http2::IfAgreed, None, 1),
        (Http2::Always, Some(Duration::ZERO), 3),
        (Http2::IfAgreed, Some(Duration::ZERO), 3),
        (Http2::IfAgreed, Some(Duration::from_secs(3600)), 1),
    ] {
        let (sender, mut told) = mpsc::channel(100);
        let (address, _server) = telling(0, sender);
        let mut pool = pool_of(vec![address], http2, false);
        pool.settings.stale_after = stale_after;
        pool.settings.max_idle = 10;
        for _ in 0..3 {
            let build = |_: &_| Ok(request());
            let target = target();
            let exchange = pool.exchange(&target, soon(), build);
            let (response, lease) = within("an answer", exchange).await.unwrap();
            drop(response);
            pool.give_back(lease);
        }
        let mut clients = std::collections::HashSet::new();
        while let Ok([_, client]) = told.try_recv() {
            clients.insert(client);
        }
        assert_eq!(clients.len(), connections, "{http2:?} {stale_after:?}");
    }
}

#[tokio::test]
async fn warming_opens_a_connection_that_the_next_request_uses_and_no_second_one() {
    for http2 in [Http2::Always, Http2::IfAgreed] {
        let (sender, mut told) = mpsc::channel(100);
        let (address, _server) = telling(0, sender);
        let mut pool = pool_of(vec![address], http2, false);
        pool.settings.max_idle = 10;
        let target = target();
        for _ in 0..3 {
            within("a connection", pool.warm(&target, soon())).await;
        }
        assert!(told.try_recv().is_err(), "no request was sent");
        let kept = lock(&pool.target(&target).idle).len();
        assert_eq!(kept, usize::from(http2 == Http2::IfAgreed));
        let build = |_: &_| Ok(request());
        let exchange = pool.exchange(&target, soon(), build);
        let (_response, lease) = within("an answer", exchange).await.unwrap();
        assert!(!lease.is_new, "{http2:?}");
    }
}

#[tokio::test]
async fn warming_leaves_a_failure_for_the_request() {
    let pool = pool_of(vec![nobody()], Http2::IfAgreed, false);
    within("the end", pool.warm(&target(), soon())).await;
    assert!(send(&pool).await.is_err());
}
