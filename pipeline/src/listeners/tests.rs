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
