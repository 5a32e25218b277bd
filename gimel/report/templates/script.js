"use strict";
// Fetches this page again and swaps the part with the figures.
// Focus, scroll position and open tables stay.
(() => {
  const part = document.getElementById("live");
  const sent = part && part.innerHTML;
  overTime.prepare(document);  // which adds elements

  // A choice from the opened list applies at once. On a closed one each arrow key is a change: the
  // button applies those. The search also hides rows while somebody types.
  for (const form of document.querySelectorAll("form[data-submit]")) {
    for (const select of form.querySelectorAll("select")) {
      let isClosed = false;
      select.addEventListener("pointerdown", () => { isClosed = false; });
      select.addEventListener("keydown", ({ key, altKey }) => {
        isClosed = !altKey && ![" ", "Enter", "F4"].includes(key);
      });
      select.addEventListener("change", () => { if (!isClosed) form.requestSubmit(); });
    }
  }
  const search = document.getElementById("search");
  function filter() {
    const rows = document.querySelectorAll("#experiments tbody tr");
    const wanted = search.value.toLowerCase();
    let found = 0;
    for (const row of rows) {
      const matches = row.querySelector("th").textContent.toLowerCase().includes(wanted);
      row.hidden = !matches;
      found += matches;
    }
    if (!rows.length) return;
    document.getElementById("experiments").hidden = !found;
    document.getElementById("nothing").hidden = found > 0;
  }
  if (search) search.addEventListener("input", filter);

  // What is folded away belongs on paper too.
  let folded = [];
  addEventListener("beforeprint", () => {
    folded = [...document.querySelectorAll("details:not([open])")];
    for (const details of folded) details.open = true;
  });
  addEventListener("afterprint", () => {
    for (const details of folded) details.open = false;
  });

  const holder = document.getElementById("refreshing");
  if (!holder) return;
  const seconds = Number(holder.dataset.seconds);
  const trouble = document.getElementById("trouble");
  let running = sessionStorage.getItem("refresh") !== "off";
  let shown = sent;

  const button = document.createElement("button");
  button.type = "button";
  button.id = "refresh";
  holder.append(button);
  function label() {
    button.textContent = running ? "Stop refreshing" : `Refresh every ${seconds} seconds`;
  }
  button.addEventListener("click", () => {
    running = !running;
    sessionStorage.setItem("refresh", running ? "on" : "off");
    label();
    if (running) refresh();
  });
  label();

  function warn(text) {
    // Only if it differs: a screen reader announces every change.
    if (trouble.textContent !== text) trouble.textContent = text;
  }

  function isSelecting(live) {
    const selection = getSelection();
    return !selection.isCollapsed && selection.containsNode(live, true);
  }

  function swap(page) {
    const live = document.getElementById("live"), fresh = page.getElementById("live");
    if (isSelecting(live)) return;
    const updated = page.getElementById("updated");
    document.getElementById("updated").textContent = updated.textContent;
    if (fresh.innerHTML === shown) return;
    shown = fresh.innerHTML;
    for (const details of live.querySelectorAll("details[id]")) {
      const counterpart = page.getElementById(details.id);
      if (!counterpart) continue;
      const isNews = counterpart.matches(".wrong") && !details.matches(".wrong");
      if (!isNews) counterpart.open = details.open;
    }
    const focused = live.contains(document.activeElement) ? document.activeElement : null;
    const key = focused && (focused.id || (focused.closest("[id]") || {}).id);
    const { scrollX, scrollY } = window;
    const kept = overTime.remember(live);
    live.replaceWith(document.adoptNode(fresh));
    overTime.prepare(fresh, kept);
    if (search) filter();
    if (key) {
      const anchor = document.getElementById(key);
      const tag = focused.tagName.toLowerCase();
      const target = anchor && (focused.id ? anchor : anchor.querySelector(tag));
      if (target) target.focus({ preventScroll: true });
    }
    scrollTo({ left: scrollX, top: scrollY, behavior: "instant" });
  }

  async function refresh() {
    const options = { cache: "no-store", credentials: "same-origin" };
    const answer = await fetch(location.href, options).catch(() => null);
    if (answer === null) {
      return warn("Not refreshed: Gimel does not respond. Check that it is still running.");
    }
    if (answer.status === 401) return location.reload();
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    if (answer.ok && page.getElementById("live")) {
      warn("");
      return swap(page);
    }
    const failure = page.getElementById("failure");
    const reason = failure ? failure.textContent.trim() : `status ${answer.status}`;
    return warn(`Not refreshed: ${reason}`);
  }

  function refreshIfSeen() {
    if (running && !document.hidden) refresh();
  }
  setInterval(refreshIfSeen, 1000 * seconds);
  document.addEventListener("visibilitychange", refreshIfSeen);
})();
