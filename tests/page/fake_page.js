// Pages of one browser for node: what gimel.js needs of a browser, with a clock that tests move.
const vm = require("node:vm");

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;

class Refused extends Error {}

// A browser: the storage and the lock that its tabs share, its network, and its clock.
class Browser {
  constructor() {
    this.now = 1_800_000_000_000;
    this.stored = {};
    this.sent = []; // {tab, url, options, events} of each request
    this.answer = () => 200; // the status of an answer, or an exception
    this.timers = [];
    this.lock = Promise.resolve();
    this.hasLocks = true;
    this.blocked = false;
  }

  storage(shared) {
    const browser = this;
    return new Proxy(shared, {
      get: (stored, name) =>
        ({
          getItem: (key) => stored[key] ?? null,
          setItem: (key, value) => {
            if (browser.full) throw new Refused("quota");
            stored[key] = String(value);
          },
          removeItem: (key) => delete stored[key],
        })[name] ?? stored[name],
    });
  }

  // Let promises settle, then move the clock and run what is due.
  async pass(milliseconds = 500) {
    const until = this.now + milliseconds;
    for (;;) {
      await new Promise(setImmediate);
      const due = this.timers.filter((timer) => timer.at <= until).sort((a, b) => a.at - b.at)[0];
      if (!due) break;
      this.timers.splice(this.timers.indexOf(due), 1);
      this.now = Math.max(this.now, due.at);
      due.run();
    }
    this.now = until;
  }

  // Open a page and run gimel.js in it. `page.run(source)` runs more. A page with another `stored`
  // is in a process that has not seen yet what the others have stored.
  open(search = "", options = {}) {
    const { tab = "a", prerendering = false, gpc = false, stored } = options;
    const { before = "", script = CLIENT } = options;
    const listeners = {};
    const listen = (type, call) => (listeners[type] ??= []).push(call);
    const window = {
      crypto: require("node:crypto").webcrypto,
      TextEncoder,
      URLSearchParams,
      AbortSignal: {},
      location: { search },
      document: { addEventListener: listen, prerendering },
      navigator: { globalPrivacyControl: gpc, locks: this.hasLocks ? this.locks() : undefined },
      addEventListener: listen,
      console: { error: (error) => page.errors.push(String(error)), warn() {} },
      setTimeout: (run, after) => {
        const timer = { run, at: this.now + after };
        this.timers.push(timer);
        return timer;
      },
      clearTimeout: (timer) => {
        const place = this.timers.indexOf(timer);
        if (place >= 0) this.timers.splice(place, 1);
      },
      fetch: async (url, options) => {
        if (!options.body) return { status: 503 }; // AlephBet's
        const events = JSON.parse(options.body);
        this.sent.push({ tab, url, options, events });
        return { status: await this.answer(events, this.sent.length) };
      },
      shown: [],
    };
    Object.defineProperty(window, "localStorage", {
      get: () => {
        if (this.blocked) throw new Refused("storage is blocked");
        return this.storage(stored || this.stored);
      },
    });
    vm.createContext(window);
    vm.runInContext("Date", window).now = () => this.now;
    const page = {
      window,
      errors: [],
      run: (source) => vm.runInContext(source, window),
      happens: (type, event = {}) => (listeners[type] || []).forEach((call) => call({ type, ...event })),
    };
    page.run(before);
    page.run(script);
    return page;
  }

  locks() {
    return {
      request: (_, run) => {
        const granted = this.lock.then(() => run());
        this.lock = granted.catch(() => {});
        return granted;
      },
    };
  }

  // The keys of the events that are stored and not known to have arrived.
  queue() {
    return Object.keys(this.stored).filter((key) => key.startsWith("gimel:queue:"));
  }

  // [experiment, variant, event] of all events that were sent.
  events() {
    return this.sent.flatMap(({ events }) => events.map((e) => [e.experiment, e.variant, e.event]));
  }
}

// An element as a click finds it.
const element = (selectors, tagName = "BUTTON") => ({
  tagName,
  closest(selector) {
    return selectors.includes(selector) ? this : null;
  },
});

const START = 'var client = gimel({ url: "https://host/e", namespace: "shop" });';
const BUTTON = `var button = client.experiment({
  name: "button",
  variants: {
    blue: { activate() { shown.push("blue"); } },
    red: { activate() { shown.push("red"); } },
  },
  goals: { bought: ".buy", "signed up": "form.sign-up" },
});`;
