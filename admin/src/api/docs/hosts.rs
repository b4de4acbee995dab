//! What the document says of hosts.

use serde_json::json;

use super::bodies::{DeletionGiven, HostChange, HostGiven, ManyGiven, OfHost, ResetGiven, TlsGiven};
use super::op::Op;
use crate::api::host_tls::TlsShape;
use crate::api::{ListPart, Part, shapes};
use crate::explain::Explanation;
use crate::operations::Done;

/// Hosts, and what is done with them as a whole.
pub fn hosts() -> Vec<Op> {
    vec![
        Op::get("/api/v1/hosts", "listHosts", "Hosts")
            .query("state", "in this state")
            .query("schedulable", "whether clusters are made and given out there")
            .query("purpose", "of which operators want this")
            .searched()
            .in_parts()
            .answers::<ListPart<shapes::HostShape>>(200, "A part of them"),
        Op::post("/api/v1/hosts", "addHost", "Add a host")
            .about("The host is asked first: one that does not answer is refused with the reason, and nothing is left behind.")
            .takes::<HostGiven>(json!({"name": "h1", "daemon_url": "tcp://10.0.0.1:2375", "capacity": 5}))
            .answers::<shapes::HostShape>(201, "It was added; `Location` is its address")
            .answers::<shapes::HostShape>(200, "It was there already, with the very same settings"),
        Op::post("/api/v1/hosts/many", "addManyHosts", "Add many hosts")
            .about(
                "Each line is taken or refused by itself. The answer comes within 20 s; lines that were not reached by then \
                 are refused and may be sent again. A host whose daemon URL is known is left as it is.",
            )
            .takes::<ManyGiven>(json!({"text": "h1 tcp://10.0.0.1:2375\nh2 tcp://10.0.0.2:2375 8", "capacity": 5}))
            .answers::<shapes::ManyShape>(200, "What came of each line"),
        Op::get("/api/v1/hosts/{id}", "getHost", "A host").answers::<shapes::HostShape>(200, "The host"),
        Op::patch("/api/v1/hosts/{id}", "configureHost", "Configure a host")
            .about("Clusters that are there keep their names, ports and log settings.")
            .takes::<HostChange>(json!({"capacity": 8, "version": 3}))
            .answers::<shapes::HostShape>(200, "As it is now"),
        Op::delete("/api/v1/hosts/{id}", "deleteHost", "Delete a host")
            .about(
                "Its clusters go first, then its record. Refused while users hold clusters there, unless it is by force, for a \
                 machine that will never answer again.",
            )
            .takes::<DeletionGiven>(json!({"version": 3}))
            .answers::<Done>(202, "It is being deleted; it is gone when `GET` is 404"),
        Op::get("/api/v1/hosts/{id}/tls", "getCredentials", "What is public of a host's credentials")
            .about("404 if it has none: then its daemon is reached without TLS. The key is told by nothing.")
            .answers::<TlsShape>(200, "Whose certificates, and until when they hold"),
        Op::put("/api/v1/hosts/{id}/tls", "setCredentials", "Give a host other credentials")
            .about("They are tried on its daemon first, and refused with the reason if it does not answer, unless `untried`.")
            .takes::<TlsGiven>(json!({
                "tls_ca": "-----BEGIN CERTIFICATE-----...",
                "tls_certificate": "-----BEGIN CERTIFICATE-----...",
                "tls_key": "-----BEGIN PRIVATE KEY-----...",
            }))
            .answers::<Done>(200, "It is reached with these from now on"),
        Op::delete("/api/v1/hosts/{id}/tls", "removeCredentials", "Take a host's credentials away")
            .takes::<OfHost>(json!({"version": 3}))
            .answers::<Done>(200, "It is reached without TLS from now on"),
        Op::get("/api/v1/hosts/{id}/foreign", "listForeign", "What is on its engine that is not this pool's")
            .about("Asked of the engine now, within 5 s; at most 1,000. `poolmanager` marks what PoolManager itself consists of.")
            .answers::<Part<shapes::StrangerShape>>(200, "Containers, then networks"),
        Op::post("/api/v1/hosts/{id}/reset", "resetHost", "Reset a host")
            .about(
                "Everything of the pool's on its engine is removed, and what `foreign` names of others'. Refused while users \
                 hold clusters there.",
            )
            .takes::<ResetGiven>(json!({"confirm": "h1"}))
            .answers::<Done>(202, "It is being reset"),
        Op::post("/api/v1/hosts/{id}/{action}", "actOnHost", "Have something done with a host")
            .about(
                "`fillup` fills it once. `clean` removes its free clusters and keeps it filled no more. `drain` does that until \
                 it is ended, and gives out and makes nothing. `serve` ends any of these. `retry` forgets failures. `cordon` and \
                 `uncordon` turn *schedulable* off and on. What is so already is no error.",
            )
            .actions(&["fillup", "clean", "drain", "serve", "retry", "cordon", "uncordon"])
            .takes::<OfHost>(json!({"version": 3}))
            .answers::<Done>(202, "It is written down; the reconciler does it"),
        Op::get("/api/v1/hosts/{id}/explain", "explainHost", "Why a host is as it is")
            .answers::<Explanation>(200, "What is wanted, is, under way, held back and next"),
    ]
}
