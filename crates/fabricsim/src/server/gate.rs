//! A port: accepts connections, a thread each, no more at once than it may, and breaks them all when it closes.

use std::collections::HashMap;
use std::io::{self, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use super::STACK;

/// Connections at once on one port. Each costs a thread.
const MOST: usize = 64;

#[derive(Debug)]
pub struct Gate {
    address: SocketAddr,
    open: Arc<Open>,
}

/// The connections that stand. `None` once closed.
#[derive(Debug)]
struct Open(Mutex<Option<HashMap<u64, TcpStream>>>);

impl Gate {
    /// Hands each connection to `serve`. One too many gets `refusal` and is closed.
    pub fn open(
        name: &str,
        listener: TcpListener,
        refusal: &'static [u8],
        serve: impl Fn(TcpStream) + Send + Sync + 'static,
    ) -> io::Result<Self> {
        let address = listener.local_addr()?;
        let open = Arc::new(Open(Mutex::new(Some(HashMap::new()))));
        let standing = Arc::clone(&open);
        let serve = Arc::new(serve);
        let accept = move || {
            for (number, stream) in (0..).zip(listener.incoming()) {
                let Ok(mut stream) = stream else {
                    // Out of descriptors, most likely: some will be free again.
                    thread::sleep(Duration::from_millis(50));
                    continue;
                };
                let guard = match standing.admit(number, &stream) {
                    Admission::Admitted => Leaves { open: Arc::clone(&standing), number },
                    Admission::Full => {
                        let _gone = stream.write_all(refusal);
                        continue;
                    }
                    Admission::Closed => return,
                };
                let serve = Arc::clone(&serve);
                // If no thread can be had, the connection and its guard are dropped with the closure.
                let _no_thread = thread::Builder::new().stack_size(STACK).spawn(move || {
                    let _guard = guard;
                    serve(stream);
                });
            }
        };
        thread::Builder::new().name(name.to_owned()).stack_size(STACK).spawn(accept)?;
        Ok(Self { address, open })
    }
}

impl Drop for Gate {
    fn drop(&mut self) {
        for stream in self.open.lock().take().into_iter().flatten() {
            let _broken = stream.1.shutdown(Shutdown::Both);
        }
        // Only a connection wakes who accepts.
        let mut address = self.address;
        if address.ip().is_unspecified() {
            address.set_ip(Ipv4Addr::LOCALHOST.into());
        }
        let _woken = TcpStream::connect_timeout(&address, Duration::from_millis(500));
    }
}

enum Admission {
    Admitted,
    Full,
    Closed,
}

impl Open {
    fn lock(&self) -> MutexGuard<'_, Option<HashMap<u64, TcpStream>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn admit(&self, number: u64, stream: &TcpStream) -> Admission {
        match (self.lock().as_mut(), stream.try_clone()) {
            (None, _) => Admission::Closed,
            (Some(streams), Ok(stream)) if streams.len() < MOST => {
                streams.insert(number, stream);
                Admission::Admitted
            }
            (Some(_), _) => Admission::Full,
        }
    }
}

/// Gives the place back.
struct Leaves {
    open: Arc<Open>,
    number: u64,
}

impl Drop for Leaves {
    fn drop(&mut self) {
        if let Some(streams) = self.open.lock().as_mut() {
            streams.remove(&self.number);
        }
    }
}
