// Planes from the server, kept while there is room; what is looked at now comes before what may be looked at next.

const ROOM = (navigator.deviceMemory ?? 8) <= 4 ? 64e6 : 192e6; // bytes
const AT_ONCE = 4;
const MOST_RUN = 8; // planes in one reply

export class Planes {
  constructor() {
    this.held = new Map(); // name -> typed array, oldest use first
    this.bytes = 0;
    this.queue = []; // { names, path, kind, done }, the last is asked next
    this.run = 4;
    this.asked = new Map(); // name -> promise of the array, or null where it failed
    this.running = 0;
    this.stop = new AbortController();
  }

  // Nothing of the studies before stays.
  clear() {
    this.stop.abort();
    this.stop = new AbortController();
    this.held.clear();
    this.asked.clear();
    this.queue = [];
    this.bytes = 0;
    this.running = 0;
  }

  get(name) {
    const found = this.held.get(name);
    if (found) { this.held.delete(name); this.held.set(name, found); }
    return found;
  }

  drop(part) {
    for (const [name, found] of this.held) if (name.includes(part)) { this.held.delete(name); this.bytes -= found.byteLength; }
  }

  // Ask for a plane; what is looked at now is `urgent` and overtakes.
  want(name, path, kind) {
    if (this.held.has(name)) return Promise.resolve(this.held.get(name));
    if (this.asked.has(name)) {
      const waiting = this.queue.findIndex((job) => job.names.includes(name));
      if (waiting >= 0) this.queue.push(...this.queue.splice(waiting, 1));
      return this.asked.get(name);
    }
    this.queue.push(this.job([name], path, kind));
    const promise = this.asked.get(name);
    this.next();
    return promise;
  }

  // Neighbours that may be looked at next come in one reply, as many as the line carries without keeping the urgent ones waiting.
  wantRun(first, last, address) {
    const free = (index) => !this.held.has(address(index)) && !this.asked.has(address(index));
    const step = Math.sign(last - first) || 1;
    let from = first;
    while (from !== last + step && !free(from)) from += step;
    if (Math.abs(from - first) > Math.abs(last - first) / 2) return; // enough is there: wait until a whole run is missing
    const numbers = [];
    for (let n = from; n !== last + step && free(n) && numbers.length < this.run; n += step) numbers.push(n);
    if (!numbers.length) return;
    numbers.sort((a, b) => a - b);
    const path = address(numbers[0]);
    this.queue.unshift(this.job(numbers.map(address), `${path}${path.includes("?") ? "&" : "?"}count=${numbers.length}`, "hu"));
    while (this.queue.length > 12) this.give(this.queue.shift(), null);
    this.next();
  }

  job(names, path, kind) {
    const job = { names, path, kind, done: [] };
    names.forEach((name, i) => this.asked.set(name, new Promise((done) => { job.done[i] = done; })));
    return job;
  }

  give({ names, done }, found) {
    const each = found && found.length / names.length;
    names.forEach((name, i) => {
      const plane = names.length === 1 ? found : found && found.slice(i * each, (i + 1) * each);
      this.asked.delete(name);
      if (plane) this.keep(name, plane);
      done[i](plane);
    });
  }

  keep(name, plane) {
    this.held.set(name, plane);
    this.bytes += plane.byteLength;
    for (const [old, kept] of this.held) {
      if (this.bytes <= ROOM || this.held.size <= 4) break;
      this.held.delete(old);
      this.bytes -= kept.byteLength;
    }
  }

  async next() {
    if (this.running >= AT_ONCE || !this.queue.length) return;
    const job = this.queue.pop();
    const { stop } = this;
    this.running += 1;
    let found = null;
    const start = performance.now();
    try {
      const reply = await fetch(job.path, { signal: stop.signal });
      if (reply.ok) {
        const bytes = await reply.arrayBuffer();
        found = job.kind === "hu" ? new Int16Array(bytes) : new Uint8Array(bytes);
      }
    } catch (error) {
      if (error.name !== "AbortError" && !(error instanceof TypeError)) throw error;
    }
    if (stop !== this.stop) { for (const done of job.done) done(null); return; }
    if (job.names.length > 1) this.pace(performance.now() - start);
    this.running -= 1;
    this.give(job, found);
    this.next();
  }

  pace(took) {
    if (took > 300) this.run = Math.max(1, this.run >> 1);
    else if (took < 120) this.run = Math.min(MOST_RUN, this.run << 1);
  }
}
