"use strict";
// The demo page of gimel serve: takes part in its experiment, sends made-up visitors, and shows the
// verdict, which it loads again every second.
(() => {
  const options = JSON.parse(document.currentScript.dataset.options);
  const { url, namespace, experiment: name, goal, rates } = options;
  const requested = new URLSearchParams(location.search).getAll("gimel");
  const SECOND = 1000;
  const element = (id) => document.getElementById(id);
  const sleep = (milliseconds) => new Promise((done) => setTimeout(done, milliseconds));

  function say(id, text) {
    // Only if it differs: a screen reader announces every change.
    if (element(id).textContent !== text) element(id).textContent = text;
  }

  // ---- The visitor, by gimel.js

  const paint = (variant) => () => { document.documentElement.dataset.buyButton = variant; };
  const variants = Object.fromEntries(
    Object.keys(rates).map((variant) => [variant, { activate: paint(variant) }]),
  );
  const isLoaded = typeof gimel !== "undefined";
  const visitor = isLoaded
    ? gimel({ url, namespace }).experiment({ name, variants, goals: { [goal]: ".buy-button" } })
    : {};

  const attempt = (action) => {
    try {
      return action();
    } catch {
      return null; // storage is blocked, or something else damaged its content
    }
  };

  const stored = () => attempt(() => Object.keys(localStorage)) || [];
  const isBlocked = () => !attempt(() => {
    localStorage.setItem("gimel:demo", "");
    localStorage.removeItem("gimel:demo");
    return true;
  });
  const hasUnsent = () => stored().some((key) => key.startsWith("gimel:queue:"));
  const isStoredOff = () => attempt(() => JSON.parse(localStorage["gimel:off"])[0] > Date.now());
  const isOff = () => requested.includes("off") || isStoredOff();

  async function untilSent() {
    for (let tries = 0; hasUnsent() && tries < 40; tries++) await sleep(50);
    return !hasUnsent();
  }

  // Why this visitor is not counted as usual, and the address and the words of a link that ends it.
  function explain() {
    if (!isLoaded) return ["/gimel.js did not load. You do not take part. Check your ad blocker."];
    if (isOff()) {
      const why = "Your visits are not counted: this browser opened a page with ?gimel=off.";
      return [why, "/?gimel=on", "Count them again"];
    }
    if (requested.some((each) => each !== "on")) {
      const why = "The address asks for a variant, so nothing that you do here is counted.";
      return [why, "/", "Take part"];
    }
    if (isBlocked()) {
      return ["Your browser blocks storage: you are a new visitor each time you open this page."];
    }
    return [""];
  }

  function describe() {
    const [why, address, words] = explain();
    const { variant } = visitor;
    say("variant", variant ? `your button is ${variant}` : "you see no variant of it");
    say("state-text", why);
    element("state").hidden = !why;
    if (address) {
      const link = element("state-link");
      link.href = address;
      link.textContent = words;
      link.hidden = false;
    }
  }

  async function becomeNew() {
    if (!(await untilSent())) {
      return say("message", "What you did has not been counted yet. Try again when it has.");
    }
    for (const key of stored()) {
      if (key.startsWith("gimel:") && key !== "gimel:off") localStorage.removeItem(key);
    }
    return location.reload();
  }

  // ---- Made-up visitors

  const weights = Object.fromEntries(Object.keys(rates).map((variant) => [variant, 1]));

  // The events of a visitor, in the order in which they happen.
  function makeUp() {
    const uuid = crypto.getRandomValues(new Uint32Array(4)).join("-");
    const variant = gimel.assign(name, uuid, weights);
    const events = Math.random() < rates[variant] ? ["participate", goal] : ["participate"];
    return events.map((event) => ({ namespace, experiment: name, variant, event, uuid }));
  }

  // The answers to some events. While the store is away it waits and sends the same ones again,
  // which does not count them twice.
  async function deliver(events) {
    for (let failures = 0; ; failures++) {
      const request = { method: "POST", body: JSON.stringify(events), credentials: "omit" };
      const answer = await fetch(url, request).catch(() => null);
      if (answer && answer.status === 200) return (await answer.json()).events;
      if (answer && answer.status < 500) throw new Error((await answer.json()).error);
      say("message", "The store does not answer. The other visitors follow when it does.");
      await sleep(Math.min(5 * SECOND, 250 * 2 ** failures));
    }
  }

  async function send() {
    const crowd = Array.from({ length: options.visitors }, makeUp);
    const progress = element("progress");
    progress.value = 0;
    progress.hidden = false;
    say("message", "");
    for (let sent = 0; sent < crowd.length; ) {
      const events = [];
      while (sent < crowd.length && events.length + crowd[sent].length <= options.perRequest) {
        events.push(...crowd[sent++]);
      }
      const answers = await deliver(events);
      const reason = answers.map((answer) => answer.reason || answer.error).find(Boolean);
      if (reason) throw new Error(reason);
      progress.value = sent;
    }
    const bought = crowd.filter((events) => events.length > 1).length;
    return `Sent ${crowd.length.toLocaleString("en")} visitors, of whom ${bought} bought.`;
  }

  async function sendMany() {
    const buttons = [element("many"), element("again")];
    const focused = document.activeElement;
    for (const button of buttons) button.disabled = true;
    say("message", await send().catch((error) => `Gimel did not count them: ${error.message}.`));
    element("progress").hidden = true;
    for (const button of buttons) button.disabled = false;
    if (buttons.includes(focused)) focused.focus();
    await refresh();
  }

  // ---- The verdict

  let latest = 0;
  let shown = "";

  function swap(html) {
    if (html === shown) return;
    const live = element("live");
    const open = [...live.querySelectorAll("details[open]")].map((details) => details.id);
    const focused = document.activeElement?.closest("#live details");
    live.innerHTML = shown = html;
    for (const id of open) if (element(id)) element(id).open = true;
    if (focused && element(focused.id)) element(focused.id).querySelector("summary").focus();
    const sentence = live.querySelector(".banner .sentence").textContent;
    const state = live.querySelector(".banner .state").lastChild.textContent;
    if (element("news").dataset.state !== state) {
      element("news").dataset.state = state;
      say("news", `${state}: ${sentence}`);
    }
  }

  async function refresh() {
    const number = ++latest;
    const wasSent = !hasUnsent();
    const answer = await fetch("/demo/live", { cache: "no-store" }).catch(() => null);
    const text = answer && (await answer.text().catch(() => null));
    if (number !== latest) return;
    if (text === null || !answer.ok) {
      const failed = answer && answer.status !== 503 && `gimel serve failed (${answer.status}).`;
      const why = failed || text || "gimel serve is not answering. Check that it is running.";
      say("trouble", `${why} What you do meanwhile is kept in this browser, and counted later.`);
      return;
    }
    if (element("trouble").textContent) {
      dispatchEvent(new Event("online")); // gimel.js then does not wait for the end of its pause
    }
    swap(text);
    const { counted, refused } = element("live").firstElementChild.dataset;
    const takesPart = isLoaded && element("state").hidden;
    say("trouble", takesPart && wasSent && counted === "no" && !refused
      ? "Your visit is no longer counted: the experiment was deleted. Become a new visitor."
      : "");
  }

  async function keepFresh() {
    for (;;) {
      if (!document.hidden) await refresh();
      await sleep(SECOND);
    }
  }

  document.addEventListener("DOMContentLoaded", () => {
    describe();
    document.querySelectorAll("button").forEach((button) => { button.disabled = !isLoaded; });
    element("again").addEventListener("click", becomeNew);
    element("many").addEventListener("click", sendMany);
    document.querySelector(".buy-button").addEventListener("click", () => {
      say("bought", "Thank you for buying.");
      untilSent().then(refresh);
    });
    document.addEventListener("visibilitychange", () => { if (!document.hidden) refresh(); });
    untilSent().then(refresh);
    keepFresh();
  });
})();
