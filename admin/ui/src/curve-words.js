// Curves in words and numbers, as the server tells them too (pages/curves.rs). Plain functions; chart.js puts them on the page.

// About so many rows has the table of a curve: who wants every point asks the JSON.
const ROWS = 12;

// A "now" may be so many steps old.
const FRESH = 3;

/// A number with its unit, as fine as it needs to be. What is not all of a hundred does not read as all.
export function number(value, unit) {
    if (value === null || value === undefined) return "–";
    if (unit === "%" && value > 99.9 && value < 100) value = 99.9;
    const digits = Number.isInteger(value) || value >= 100 ? 0 : value >= 10 ? 1 : 2;
    const text = String(Number(value.toFixed(digits)));
    return unit ? `${text} ${unit}` : text;
}

/// The last value, unless it is too old to be "now".
export function last(values) {
    return values.slice(-FRESH).findLast((value) => value !== null);
}

/// The least and the most of a series: "2 % to 7 %".
export function extent(series, unit) {
    const there = (list) => list.filter((value) => value !== null);
    const [least, most] = [there(series.min), there(series.max)];
    return most.length ? `${number(Math.min(...least), unit)} to ${number(Math.max(...most), unit)}` : "not measured";
}

/// Whether nothing was measured.
export function isEmpty(curve) {
    return curve.series.every((series) => series.avg.every((value) => value === null));
}

/// The rows of its table, the newest first: each the beginning of a step (ISO, UTC) and the value of each series.
export function rows(curve) {
    const { times, series, unit } = curve;
    const every = Math.max(Math.floor(times.length / ROWS), 1);
    const picked = [];
    for (let at = times.length - 1; at >= 0; at -= every) {
        const values = series.map((one) => number(one.avg[at], unit));
        picked.push({ at: new Date(times[at] * 1000).toISOString(), values });
    }
    return picked;
}
