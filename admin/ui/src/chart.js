// Curves over time: draws what the server sent as a picture once more, with axes and under the pointer, and asks for newer
// points once a minute. The words and the table beside each curve say the same for those who cannot see it.
import { extent, isEmpty, last, number, rows } from "./curve-words.js";
import uPlot from "uplot";

const EVERY = 60_000;
const HEIGHT = 176;
const DASHES = [[], [7, 3], [2, 3], [9, 3, 2, 3]];

const colour = (name) => {
    // A variable may be light-dark(...), which only a property that is a colour turns into one.
    const probe = document.createElement("span");
    probe.style.color = `var(${name})`;
    document.body.append(probe);
    const value = getComputedStyle(probe).color;
    probe.remove();
    return value;
};

function element(tag, properties, ...children) {
    const made = Object.assign(document.createElement(tag), properties);
    made.append(...children);
    return made;
}

class Curve {
    constructor(figure) {
        this.figure = figure;
        this.plot = figure.querySelector(".plot");
        this.none = figure.querySelector(".none");
        this.keys = figure.querySelector(".keys");
        this.details = figure.querySelector("details");
        this.early = 12;
        this.resized = new ResizeObserver(() => this.chart?.setSize(this.size()));
        this.resized.observe(this.plot);
        this.refresh();
        this.timer = setInterval(() => document.hidden || this.refresh(), EVERY);
    }

    size() {
        return { width: Math.max(this.plot.clientWidth, 200), height: HEIGHT };
    }

    async refresh() {
        if (!this.figure.isConnected) return this.end();
        try {
            const answer = await fetch(this.figure.dataset.src, { headers: { accept: "application/json" } });
            if (answer.status === 401) return this.end();
            if (answer.ok) this.show(await answer.json());
        } catch {
            // What is drawn stays; the next minute asks again.
        }
    }

    show(curve) {
        const empty = isEmpty(curve);
        this.none.hidden = !empty;
        // What was just opened is measured within seconds.
        if (empty && this.early-- > 0) setTimeout(() => this.refresh(), 5000);
        this.plot.hidden = empty;
        this.details.hidden = empty;
        this.tell(curve);
        if (empty) return;
        const data = [curve.times, ...curve.series.map((one) => one.avg)];
        const names = curve.series.map((one) => one.name).join("\n");
        if (this.chart && this.names === names) {
            this.chart.setData(data);
        } else {
            this.chart?.destroy();
            this.names = names;
            this.chart = new uPlot(this.options(curve), data, this.plot);
            this.plot.classList.add("drawn");
        }
    }

    options(curve) {
        const [text, grid] = [colour("--dim"), colour("--line")];
        const axis = { stroke: text, grid: { stroke: grid, width: 1 }, ticks: { stroke: grid, width: 1 }, font: "12px system-ui, sans-serif" };
        return {
            ...this.size(),
            legend: { show: false },
            cursor: { y: false, points: { size: 7 } },
            scales: { y: { range: (_plot, _least, most) => [0, curve.measure === "hit_rate" ? 100 : most > 0 ? most * 1.1 : 1] } },
            axes: [{ ...axis, values: (_plot, splits) => splits.map((at) => moment(at, curve.range)) }, { ...axis, size: 62, values: (_plot, values) => values.map((value) => number(value, curve.unit)) }],
            series: [
                {},
                ...curve.series.map((one, nth) => ({
                    label: one.name,
                    stroke: colour(`--line${nth % 8}`),
                    width: 1.75,
                    dash: DASHES[nth % DASHES.length],
                    spanGaps: false,
                    points: { show: lonely(one.avg), size: 5 },
                })),
            ],
            hooks: { setCursor: [(chart) => this.point(chart, curve.unit)] },
        };
    }

    // The values under the pointer, where the last ones stand otherwise.
    point(chart, unit) {
        const at = chart.cursor.idx;
        [...this.keys.children].forEach((item, nth) => {
            const strong = item.querySelector("strong");
            if (!strong) return;
            const values = chart.data[nth + 1] ?? [];
            strong.textContent = number(at === null || at === undefined ? last(values) : values[at], unit);
        });
    }

    tell(curve) {
        const items = curve.series.map((one, nth) => {
            const stroke = element("span", { className: "stroke" });
            stroke.setAttribute("aria-hidden", "true");
            const now = element("strong", { textContent: number(last(one.avg), curve.unit) });
            const range = element("span", { className: "dim", textContent: extent(one, curve.unit) });
            const name = element("span", { className: "name", textContent: one.name });
            return element("li", { className: `line${nth % 8}` }, stroke, name, " ", element("span", { className: "numbers" }, now, " ", range));
        });
        this.keys.replaceChildren(...items);
        this.tabulate(curve);
    }

    // The head too: a cluster may have other nodes than before.
    tabulate(curve) {
        const heads = curve.series.map((one) => element("th", { scope: "col", className: "num", textContent: one.name }));
        this.details.querySelector("thead tr").replaceChildren(element("th", { scope: "col", textContent: "From" }), ...heads);
        const lines = rows(curve).map(({ at, values }) => {
            const when = element("time", { dateTime: at, title: at, textContent: at });
            const cells = values.map((value) => element("td", { className: "num", textContent: value }));
            return element("tr", {}, element("th", { scope: "row" }, when), ...cells);
        });
        this.details.querySelector("tbody").replaceChildren(...lines);
    }

    recolour() {
        this.names = undefined;
        this.refresh();
    }

    end() {
        clearInterval(this.timer);
        this.resized.disconnect();
        this.chart?.destroy();
    }
}

// A place on the axis of time, in the reader's zone: by the clock, over a week by the day.
function moment(at, range) {
    const date = new Date(at * 1000);
    if (range === "7d") return date.toLocaleDateString(undefined, { weekday: "short", day: "numeric" });
    return date.toLocaleTimeString(undefined, { hour: "2-digit", minute: "2-digit", hour12: false });
}

// A curve of few points that stand alone would not show as a line.
function lonely(values) {
    return values.filter((value) => value !== null).length < 3;
}

const curves = [...document.querySelectorAll("figure.curve[data-src]")].map((figure) => new Curve(figure));
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => curves.forEach((curve) => curve.recolour()));
document.addEventListener("visibilitychange", () => document.hidden || curves.forEach((curve) => curve.refresh()));
