//! The form for a host as tests fill it in.

/// The form with these fields, the rest as in the blank one.
pub fn fields<'a>(given: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    let mut all = vec![
        ("name", "h1"),
        ("daemon_url", "tcp://127.0.0.1:1"),
        ("address", ""),
        ("bind_address", "0.0.0.0"),
        ("capacity", "3"),
        ("log_level", "info"),
        ("log_type", "local"),
        ("log_server", ""),
        ("schedulable", "on"),
        ("chaincode_endpoint", ""),
    ];
    for (name, value) in given {
        all.retain(|(known, _)| known != name);
        all.push((name, value));
    }
    all
}
