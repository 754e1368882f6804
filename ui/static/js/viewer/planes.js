// Planes from the server, kept while there is room; what is looked at now comes before what may be looked at next.

const ROOM = (navigator.deviceMemory ?? 8) <= 4 ? 64e6 : 192e6; // bytes
const AT_ONCE = 4;

export class Planes {
  constructor() {
    this.held = new Map(); // name -> typed array, oldest use first
    this.bytes = 0;
    this.queue = []; // [name, path, kind, urgent], the last is asked next
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

  // Ask for a plane; `urgent` ones overtake, and at most a screenful of the others waits.
  want(name, path, kind, urgent = true) {
    if (this.held.has(name)) return Promise.resolve(this.held.get(name));
    if (this.asked.has(name)) {
      const waiting = this.queue.findIndex((job) => job.name === name);
      if (urgent && waiting >= 0) this.queue.push(...this.queue.splice(waiting, 1));
      return this.asked.get(name);
    }
    const job = { name, path, kind };
    const promise = new Promise((done) => { job.done = done; });
    this.asked.set(name, promise);
    if (urgent) this.queue.push(job);
    else this.queue.unshift(job);
    while (this.queue.length > 48) this.give(this.queue.shift(), null);
    this.next();
    return promise;
  }

  give(job, found) {
    this.asked.delete(job.name);
    if (found) {
      this.held.set(job.name, found);
      this.bytes += found.byteLength;
      for (const [old, kept] of this.held) {
        if (this.bytes <= ROOM || this.held.size <= 4) break;
        this.held.delete(old);
        this.bytes -= kept.byteLength;
      }
    }
    job.done(found);
  }

  async next() {
    if (this.running >= AT_ONCE || !this.queue.length) return;
    const job = this.queue.pop();
    const { stop } = this;
    this.running += 1;
    let found = null;
    try {
      const reply = await fetch(job.path, { signal: stop.signal });
      if (reply.ok) {
        const bytes = await reply.arrayBuffer();
        found = job.kind === "hu" ? new Int16Array(bytes) : new Uint8Array(bytes);
      }
    } catch (error) {
      if (error.name !== "AbortError" && !(error instanceof TypeError)) throw error;
    }
    if (stop !== this.stop) { job.done(null); return; }
    this.running -= 1;
    this.give(job, found);
    this.next();
  }
}
