use super::*;

fn id(text: &str) -> ComponentId {
    text.parse().unwrap()
}

#[test]
fn successor_shares_the_socket_and_a_stranger_is_refused() {
    let listeners = Listeners::default();
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let address = TransportAddress::Tcp(free.to_string());
    let first = listeners.bind(&id("otlp"), &address).unwrap();
    let second = listeners.bind(&id("otlp"), &address).unwrap();
    assert_eq!(first.local_addr(), second.local_addr());
    let refused = listeners.bind(&id("zipkin"), &address).unwrap_err();
    assert!(refused.to_string().contains("\"otlp\""), "{refused}");
    drop(first);
    assert!(listeners.bind(&id("zipkin"), &address).is_err(), "the second still listens");
    drop(second);
    listeners.bind(&id("zipkin"), &address).unwrap();
}

#[test]
fn socket_file_of_a_dead_process_is_replaced_and_removed_at_the_end() {
    let path = std::env::temp_dir().join(format!("hikyaku-listen-{}", std::process::id()));
    drop(UnixListener::bind(&path).unwrap());
    assert!(path.exists());
    let listeners = Listeners::default();
    let address = TransportAddress::Unix(path.clone());
    let listener = listeners.bind(&id("otlp"), &address).unwrap();
    assert_eq!(
        Listeners::default().bind(&id("otlp"), &address).unwrap_err().kind(),
        io::ErrorKind::AddrInUse,
        "a living socket must not be taken over"
    );
    drop(listener);
    assert!(!path.exists());
}

#[test]
fn any_free_port_is_another_one_each_time() {
    let (listeners, address) =
        (Listeners::default(), TransportAddress::Tcp("127.0.0.1:0".to_owned()));
    let first = listeners.bind(&id("otlp"), &address).unwrap();
    let second = listeners.bind(&id("otlp"), &address).unwrap();
    assert_ne!(first.local_addr(), second.local_addr());
    assert_eq!(listeners.addresses().len(), 2);
}

#[test]
fn one_port_of_tcp_and_of_udp_are_two_and_each_is_shared_with_a_successor_only() {
    let listeners = Listeners::default();
    let free = UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    let first = listeners.bind_udp(&id("awsxray"), &free).unwrap();
    let stream = TransportAddress::Tcp(free.clone());
    listeners.bind(&id("zipkin"), &stream).unwrap();
    let second = listeners.bind_udp(&id("awsxray"), &free).unwrap();
    assert_eq!(first.socket.local_addr().unwrap(), second.socket.local_addr().unwrap());
    let refused = listeners.bind_udp(&id("statsd"), &free).unwrap_err();
    assert!(refused.to_string().contains("\"awsxray\""), "{refused}");
    let another_process = Listeners::default().bind_udp(&id("awsxray"), &free).unwrap_err();
    assert_eq!(another_process.kind(), io::ErrorKind::AddrInUse);
    drop((first, second));
    listeners.bind_udp(&id("statsd"), &free).unwrap();
    assert!(listeners.addresses().is_empty(), "addresses are those of TCP");
}

#[test]
fn newcomer_takes_datagrams_at_every_address_while_the_leaving_one_does_at_one_of_them() {
    let listeners = Listeners::default();
    let leaving = listeners.bind_udp(&id("awsxray"), "127.0.0.1:0").unwrap();
    let port = leaving.socket.local_addr().unwrap().port();
    let every = format!("0.0.0.0:{port}");
    assert!(listeners.bind_udp(&id("awsxray/2"), &every).is_err());
    let hand_over = listeners.hand_over(BTreeSet::from([id("awsxray")]));
    let _newcomer = listeners.bind_udp(&id("awsxray/2"), &every).unwrap();
    hand_over.complete();
    assert!(Listeners::default().bind_udp(&id("awsxray"), &every).is_err(), "it is closed again");
}
