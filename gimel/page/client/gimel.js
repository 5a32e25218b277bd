// gimel.js: A/B tests in a page. docs/client.md explains how to use it.
//
// It assigns a variant to the visitor, activates it, and sends what happened to the URL of a Gimel
// backend. Everything is in one block, so that a plain script declares nothing but `gimel`.
{
  const DAY = 864e5;
  const QUEUE = "gimel:queue:"; // and then USER or the id in VISITOR, and the event's uuid
  const USER = "user:";
  const VISITOR = "gimel:visitor";
  const OFF = "gimel:off";
  const WAIT = "gimel:wait";

  // ---- Storage. A value is kept as [time of expiry, value].

  // What localStorage does not take. It is blocked in some browsers, and full in others.
  const memory = {};

  const attempt = (action) => {
    try {
      return action();
    } catch {
      // Each access may throw: storage is blocked or full, or something else damaged its content.
    }
  };

  const read = (key) =>
    attempt(() => {
      const [expires, value] = JSON.parse(memory[key] || localStorage.getItem(key));
      if (expires > Date.now()) return value;
    });

  const write = (key, value, days) => {
    memory[key] = JSON.stringify([Date.now() + days * DAY, value]);
    attempt(() => {
      localStorage.setItem(key, memory[key]);
      delete memory[key];
    });
  };

  const remove = (key) => {
    delete memory[key];
    attempt(() => localStorage.removeItem(key));
  };

  const keys = (prefix) =>
    [memory, attempt(() => localStorage)]
      .flatMap((storage) => Object.keys(storage || {}))
      .filter((key) => key.startsWith(prefix));

  // ---- Assignment. gimel/page/assignment.py does the same.

  // MurmurHash3's finalizer after each byte. A lane is the start value: another lane, another hash.
  const hash = (lane, ...parts) => {
    let state = lane;
    for (const byte of new TextEncoder().encode(parts.join("\n"))) {
      state ^= byte;
      state = Math.imul(state ^ (state >>> 16), 0x85ebca6b);
      state = Math.imul(state ^ (state >>> 13), 0xc2b2ae35);
      state ^= state >>> 16;
    }
    return state >>> 0;
  };

  const share = (lane, ...parts) => hash(lane, ...parts) / 2 ** 32;

  const assign = (experiment, visitor, weights) => {
    const names = Object.keys(weights)
      .filter((name) => weights[name] > 0)
      .sort();
    const total = names.reduce((sum, name) => sum + weights[name], 0);
    let point = share(0, experiment, visitor) * total;
    return names.find((name) => (point -= weights[name]) < 0) || names.pop();
  };

  const random = () => crypto.getRandomValues(new Uint32Array(4)).join("-");

  // ---- The client

  const inFlight = new Set();

  const gimel = ({
    url,
    namespace = "alephbet",
    visitor,
    consent = true,
    respectGpc,
    expiry = 395,
  }) => {
    const requested = new URLSearchParams(location.search).getAll("gimel");
    const experiments = {};
    const user = visitor ? hash(0, visitor) : 0; // "" is what templates make of a missing id
    let waiting = [];
    let delay = 0;
    let muted, scheduled, timer, leaving;

    const whenAllowed = (task) => (waiting ? waiting.push(task) : task());

    // Send the queue. Only status 200 means that the events were counted or need not be.
    const flush = async () => {
      scheduled = 0;
      clearTimeout(timer);
      const [failures, until] = read(WAIT) || [0];
      const left = until - Date.now();
      // No pause is that long, unless the clock was set back.
      if (left > 0 && left < DAY) return (timer = setTimeout(schedule, left));
      // Two tabs may begin a first visit at once. The events of the id that was not kept never go.
      const batch = [...keys(QUEUE + USER), ...keys(QUEUE + read(VISITOR))]
        .filter((key) => !inFlight.has(key) && read(key))
        .slice(0, 100);
      if (!batch[0]) return;
      batch.forEach(inFlight.add, inFlight);
      const body = JSON.stringify(batch.map(read));
      let status;
      try {
        ({ status } = await fetch(url, {
          method: "POST",
          body, // text/plain, which needs no CORS preflight
          credentials: "omit",
          keepalive: body.length < 15e3, // browsers refuse more than 64 KiB
          signal: AbortSignal.timeout?.(3e4),
        }));
      } catch {
        // Offline, blocked, or answered for other origins only.
      }
      // 400: none of them is valid. They stay in flight, so that they do not hold up others.
      if (status != 400) {
        batch.forEach(inFlight.delete, inFlight);
        if (status == 200) {
          [WAIT, ...batch].forEach(remove);
        } else if (!leaving) {
          // The browser cancels the requests of a page that ends: that is not a failure.
          const pause = Math.min(36e5, 2e3 * 2 ** failures) * (1 + Math.random());
          write(WAIT, [failures + 1, Date.now() + pause], 7);
        }
      }
      schedule();
    };

    // One tab sends at a time. Without locks two may send the same event, which counts once.
    const schedule = async () => {
      if (scheduled) return;
      scheduled = 1;
      // Meanwhile further events join the request, and a new id reaches the other tabs.
      await new Promise((done) => setTimeout(done, delay));
      delay = leaving = 0; // Nothing runs in a page that ended. The browser may show it again.
      try {
        await navigator.locks.request(QUEUE, flush);
      } catch {
        flush();
      }
    };

    const open = () => {
      if (requested.includes("off")) write(OFF, 1, expiry);
      if (requested.includes("on")) remove(OFF);
      muted = read(OFF) || requested.some((each) => each != "on");
      for (const key of keys("gimel:")) if (!read(key)) remove(key);
      // What AlephBet has not sent yet. The uuids are kept, so nothing counts twice.
      attempt(() => {
        const stored = JSON.parse(localStorage.getItem("alephbet"));
        for (const { properties } of JSON.parse(stored._gimel_queue))
          write(QUEUE + USER + properties.uuid, properties, 7);
        stored._gimel_queue = "[]";
        localStorage.setItem("alephbet", JSON.stringify(stored));
      });
      visitor ||= read(VISITOR);
      if (!visitor) {
        write(VISITOR, (visitor = random()), expiry);
        delay = 100;
      }
      const tasks = waiting;
      waiting = 0;
      tasks.forEach((task) => task());
      addEventListener("pagehide", () => {
        leaving = 1;
        flush();
      });
      addEventListener("online", () => {
        remove(WAIT);
        schedule();
      });
      schedule();
    };

    const begin = () => {
      if (!consent || (respectGpc && navigator.globalPrivacyControl)) return;
      if (consent === true) open();
      else Promise.resolve(consent).then((given) => given !== false && open(), console.warn);
    };

    const experiment = ({
      name,
      variants,
      control = Object.keys(variants)[0],
      sample = 1,
      trigger = () => true,
      goals = {},
    }) => {
      const recordKey = `gimel:experiment:${namespace}:${name}`;

      // What AlephBet stored, whose experiments keep running.
      const alephbet = (field) =>
        attempt(() => JSON.parse(localStorage.getItem("alephbet"))[`${name}:${field}`]);

      // [user, variant, ...events]. In a shared browser each user has a record.
      const record = () => {
        if (!user) visitor = read(VISITOR) || visitor; // another tab may have begun, too
        const kept = read(recordKey);
        if (kept && (!user || !kept[0] || kept[0] == user)) return kept;
        return [user, alephbet("variant")];
      };

      const track = (event, unique) => {
        const kept = record();
        if (muted || !kept[1]) return;
        if (unique && (kept.includes(event, 2) || alephbet(event))) return;
        const uuid = unique
          ? [1, 2, 3, 4]
              .map((lane) => hash(lane, namespace, name, event, visitor).toString(16))
              .join("-")
          : random();
        const key = QUEUE + (user ? USER : visitor) + uuid;
        write(key, { namespace, experiment: name, variant: kept[1], event, uuid }, 7);
        if (unique) write(recordKey, [...kept, event], expiry);
        schedule();
      };

      const self = {
        name,
        goals,
        goal: (goal, { unique = true } = {}) => whenAllowed(() => track(goal, unique)),
      };

      const show = async (variant) => variants[variant]?.activate?.(self);

      const fail = (error) => {
        console.error(error);
        track("gimel:error", true);
        if (self.variant != control) show(control).catch(console.error);
      };

      const choose = async () => {
        self.variant =
          Object.keys(variants).find((variant) => requested.includes(`${name}:${variant}`)) ||
          record()[1];
        if (
          !self.variant &&
          trigger() &&
          (alephbet("in_sample") ?? share(5, name, visitor) < sample)
        ) {
          const weights = {};
          for (const variant of Object.keys(variants))
            weights[variant] = variants[variant].weight ?? 1;
          self.variant = assign(name, visitor, weights);
          if (!muted) write(recordKey, [user, self.variant], expiry);
          track("participate", true);
        }
        show(self.variant).catch(fail);
      };

      experiments[name] = self;
      whenAllowed(() => choose().catch(console.error));
      return self;
    };

    for (const type of ["click", "submit"])
      document.addEventListener(
        type,
        ({ target }) => {
          for (const { goals, goal } of Object.values(experiments))
            for (const name of Object.keys(goals)) {
              const element = attempt(() => target.closest(goals[name]));
              if (element && (element.tagName == "FORM") == (type == "submit")) goal(name);
            }
        },
        true, // before a listener of the page can stop the event
      );

    if (document.prerendering)
      document.addEventListener("prerenderingchange", begin, { once: true });
    else begin();

    return {
      experiment,
      goal: (goal, options) => Object.values(experiments).forEach((each) => each.goal(goal, options)),
      get visitor() {
        return visitor;
      },
    };
  };

  gimel.assign = assign;
  // A second copy, as tag managers insert it, must not replace the first. An element may have the id.
  if (!globalThis.gimel?.assign) globalThis.gimel = gimel;
}
