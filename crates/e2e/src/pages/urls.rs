//! The pages that are measured: each list in its orders, narrow and broad searches and filters, and places deep in it.

use super::fill::Filled;

/// One page.
pub(super) struct Page {
    /// What it shows.
    pub name: &'static str,
    /// Whether it is a list.
    pub list: bool,
    /// Its address in a pool; what is random in it is drawn anew for each request.
    pub path: fn(&Filled) -> String,
}

const fn list(name: &'static str, path: fn(&Filled) -> String) -> Page {
    Page { name, list: true, path }
}

/// A place that lies so deep among the keys of times and ids: the keys of an order by time are numbers.
fn deep(sort: &str, filled: &Filled) -> String {
    let at = filled.oldest + (filled.newest - filled.oldest) / 2;
    format!("sort={sort}&dir=desc&after={sort}.desc.a.{}", hex(&format!("{at:016x}")))
}

fn hex(key: &str) -> String {
    key.bytes().map(|byte| format!("{byte:02x}")).collect()
}

/// All of them.
pub(super) fn pages() -> Vec<Page> {
    vec![
        list("clusters by name", |_| "/clusters".into()),
        list("clusters by name, the last page", |_| "/clusters?sort=name&dir=desc".into()),
        list("clusters by name, from the middle", |f| format!("/clusters?after=name.asc.a.{}", hex(&f.middle_name))),
        list("clusters, 200 on a page", |_| "/clusters?limit=200".into()),
        list("clusters by creation", |_| "/clusters?sort=created".into()),
        list("clusters by creation, deep", |f| format!("/clusters?{}", deep("created", f))),
        list("clusters by flavor", |_| "/clusters?sort=flavor".into()),
        list("clusters by change", |_| "/clusters?sort=changed".into()),
        list("clusters of a flavor by name", |f| format!("/clusters?flavor={}", f.flavor)),
        list("clusters of a flavor by creation", |f| format!("/clusters?flavor={}&sort=created", f.flavor)),
        list("clusters of a host", |f| format!("/clusters?host={}&sort=created", f.a_host())),
        list("clusters of a user", |f| format!("/clusters?user={}", f.a_user())),
        list("clusters whose name begins with a host's", |f| format!("/clusters?q={}_", f.a_host_name())),
        list("clusters that many names begin with", |_| "/clusters?q=host-9".into()),
        list("clusters that all names begin with, by change", |_| "/clusters?q=host&sort=changed".into()),
        list("clusters whose id begins with two digits", |_| format!("/clusters?q={:02x}", rand::random::<u8>())),
        list("clusters that nothing begins with", |_| "/clusters?q=nobody".into()),
        list("failing clusters by creation", |_| "/clusters?health=failing&sort=created".into()),
        list("free clusters by change", |_| "/clusters?phase=free&sort=changed".into()),
        list("clusters being made", |_| "/clusters?phase=creating".into()),
        list("clusters in use", |_| "/clusters?type=inused".into()),
        list("clusters in use, deep", |f| format!("/clusters?type=inused&{}", deep("changed", f))),
        list("clusters in use by name", |_| "/clusters?type=inused&sort=name".into()),
        list("all clusters that fail or failed", |_| "/clusters?type=existing&phase=failed,lost".into()),
        list("clusters in use by users that begin alike", |_| "/clusters?type=inused&q=user-1".into()),
        list("released", |_| "/clusters?type=released".into()),
        list("released by duration", |_| "/clusters?type=released&sort=held".into()),
        list("released of a host", |f| format!("/clusters?type=released&host={}", f.a_host())),
        list("released to users that begin alike", |_| "/clusters?type=released&q=user-1".into()),
        list("failed", |_| "/clusters?type=failed".into()),
        list("hosts by name", |_| "/hosts".into()),
        list("hosts by clusters", |_| "/hosts?sort=clusters".into()),
        list("hosts by capacity, 200 on a page", |_| "/hosts?sort=capacity&limit=200".into()),
        list("hosts that have a text", |_| "/hosts?q=t-9".into()),
        list("inactive hosts", |_| "/hosts?state=inactive".into()),
        Page { name: "overview", list: false, path: |_| "/".into() },
        Page { name: "a host", list: false, path: |f| format!("/hosts/{}", f.a_host()) },
        Page { name: "events", list: false, path: |_| "/events".into() },
        Page { name: "statistics of an hour", list: false, path: |_| "/stat".into() },
        Page { name: "statistics of a week", list: false, path: |_| "/stat?range=7d".into() },
        Page { name: "flavors", list: false, path: |_| "/flavors".into() },
    ]
}
