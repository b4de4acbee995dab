// Waits for what no page shows: asks again until it is so.
import { setTimeout as pause } from "node:timers/promises";

/// Until `holds` answers with something true, which is the answer; `what` is for the words when it takes too long.
export async function until(what, holds, within = 30_000) {
    const deadline = Date.now() + within;
    for (;;) {
        const answer = await holds();
        if (answer) return answer;
        if (Date.now() > deadline) throw new Error(`waited ${within / 1000} s in vain for ${what}`);
        await pause(50);
    }
}
