//! The numbers that a run gives, in milliseconds.

use anyhow::Context;
use serde::Serialize;

use super::measure::Times;
use super::urls::Page;

/// Of the list page that is slowest with many clusters, on the store where it is; and of each page.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Report {
    /// Half of the requests took no longer, with few clusters.
    pub p50_ms_1k: f64,
    /// 99 of a hundred took no longer, with few clusters.
    pub p99_ms_1k: f64,
    /// Half of the requests took no longer, with many clusters.
    pub p50_ms_100k: f64,
    /// 99 of a hundred took no longer, with many clusters.
    pub p99_ms_100k: f64,
    /// Which page that is, and on which store.
    pub slowest: String,
    /// The greatest [`PageNumbers::p99_ms_100k`] of any list.
    pub worst_p99_ms_100k: f64,
    /// Each page.
    pub pages: Vec<PageNumbers>,
}

/// One page on one store.
#[derive(Clone, Debug, Serialize)]
pub struct PageNumbers {
    /// `sqlite` or `mongodb`.
    pub store: &'static str,
    /// What it shows.
    pub page: &'static str,
    /// Whether it is a list, of which the slowest counts.
    pub list: bool,
    /// As in [`Report`].
    pub p50_ms_1k: f64,
    /// As in [`Report`].
    pub p99_ms_1k: f64,
    /// As in [`Report`].
    pub p50_ms_100k: f64,
    /// As in [`Report`].
    pub p99_ms_100k: f64,
}

impl PageNumbers {
    pub(super) fn of(store: &'static str, page: &Page, few: &Times, many: &Times) -> anyhow::Result<PageNumbers> {
        Ok(PageNumbers {
            store,
            page: page.name,
            list: page.list,
            p50_ms_1k: few.percentile_ms(50)?,
            p99_ms_1k: few.percentile_ms(99)?,
            p50_ms_100k: many.percentile_ms(50)?,
            p99_ms_100k: many.percentile_ms(99)?,
        })
    }

    pub(super) fn line(&self) -> String {
        format!(
            "{:8} {:44} p50 {:7.2} -> {:7.2} ms   p99 {:7.2} -> {:7.2} ms",
            self.store, self.page, self.p50_ms_1k, self.p50_ms_100k, self.p99_ms_1k, self.p99_ms_100k
        )
    }
}

impl Report {
    pub(super) fn finish(mut self) -> anyhow::Result<Report> {
        let lists = self.pages.iter().filter(|page| page.list);
        self.worst_p99_ms_100k = lists.clone().map(|page| page.p99_ms_100k).fold(0.0, f64::max);
        let slowest = lists.max_by(|a, b| a.p50_ms_100k.total_cmp(&b.p50_ms_100k)).context("no page was measured")?;
        (self.p50_ms_1k, self.p99_ms_1k) = (slowest.p50_ms_1k, slowest.p99_ms_1k);
        (self.p50_ms_100k, self.p99_ms_100k) = (slowest.p50_ms_100k, slowest.p99_ms_100k);
        self.slowest = format!("{} on {}", slowest.page, slowest.store);
        Ok(self)
    }
}
