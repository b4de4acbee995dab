// Chromium, and pages that tell what went wrong in them.
import assert from "node:assert/strict";
import { chromium } from "playwright-core";

const PATIENCE = 20_000;
export const WIDE = { width: 1280, height: 900 };
export const NARROW = { width: 390, height: 844 };

/// Chromium says so of every answer that is no success; stories look at what the page shows of it.
const REFUSAL = /^Failed to load resource: the server responded with a status of (400|401|403|404|409|422|429)/;
/// And of a server that is away or broken, which only some stories bring about.
const AWAY = /net::ERR_(CONNECTION_REFUSED|CONNECTION_RESET|INCOMPLETE_CHUNKED_ENCODING|EMPTY_RESPONSE|INTERNET_DISCONNECTED|FAILED|ABORTED|SOCKET_NOT_CONNECTED)|status of 500|Failed to fetch|network error|NetworkError|BodyStreamBuffer/;

export class Browser {
    static async start() {
        const browser = new Browser();
        browser.chromium = await chromium.launch({
            executablePath: process.env.CHROMIUM,
            // In a container there is no other sandbox than the container.
            args: ["--no-sandbox", "--disable-dev-shm-usage"],
        });
        return browser;
    }

    end() {
        return this.chromium.close();
    }

    /// Tells a story in a window of its own, and fails it when a script broke or the policy was broken meanwhile.
    async tell(programs, { as, scripts = true, away = false, viewport = WIDE, ...settings }, story) {
        const context = await this.chromium.newContext({
            baseURL: programs.admin,
            javaScriptEnabled: scripts,
            viewport,
            reducedMotion: "reduce",
            timezoneId: "Europe/Berlin",
            locale: "en-GB",
            ...settings,
        });
        context.setDefaultTimeout(PATIENCE);
        if (as) await context.addCookies(as.cookies);
        const wrong = [];
        context.on("console", (message) => {
            if (message.type() !== "error" && message.type() !== "warning") return;
            const text = message.text();
            if (REFUSAL.test(text) || (away && AWAY.test(text))) return;
            wrong.push(`${message.page()?.url()}: ${text}`);
        });
        context.on("weberror", (error) => {
            if (!(away && AWAY.test(error.error().message))) wrong.push(`${error.page()?.url()}: ${error.error().stack}`);
        });
        try {
            const page = await context.newPage();
            try {
                await story(page, context);
            } catch (error) {
                await this.#last(page, error);
                throw error;
            }
            assert.deepEqual(wrong, [], "errors in the console");
        } finally {
            await context.close();
        }
    }

    /// What the page looked like when a story went wrong.
    async #last(page, error) {
        const path = `${process.env.SCREENSHOTS}/failed-${Date.now()}.png`;
        await page.screenshot({ path, fullPage: true, timeout: 5000 }).catch(() => {});
        error.message += `\n(${page.url()}; as it looked: ${path})`;
    }
}

/// Presses Tab until that element has the keyboard, as one does who has no mouse.
export async function tabTo(page, locator) {
    for (let presses = 0; presses < 80; presses++) {
        await page.keyboard.press("Tab");
        if (await locator.evaluate((element) => element === document.activeElement)) return;
    }
    assert.fail(`Tab does not lead to ${locator}`);
}

/// Waits until that is shown.
export const shown = (locator) => locator.first().waitFor({ state: "visible" });
/// Waits until that is there no more.
export const gone = (locator) => locator.first().waitFor({ state: "hidden" });

/// Waits until the page keeps itself up to date.
export const live = (page) => page.waitForFunction(() => document.getElementById("live")?._htmx?.sse);
