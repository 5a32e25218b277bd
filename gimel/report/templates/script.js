"use strict";
// Fetches this page again and swaps the part that holds the figures. What the reader was doing there is left as it was.
(() => {
  const place = document.getElementById("refreshing");
  if (!place) return;
  const seconds = Number(place.dataset.seconds);
  const trouble = document.getElementById("trouble");
  let running = sessionStorage.getItem("refresh") !== "off";
  let seen = document.getElementById("live").innerHTML;

  const button = document.createElement("button");
  button.type = "button";
  button.id = "refresh";
  place.append(button);
  const show = () => { button.textContent = running ? "Stop refreshing" : `Refresh every ${seconds} seconds`; };
  button.addEventListener("click", () => {
    running = !running;
    sessionStorage.setItem("refresh", running ? "on" : "off");
    show();
    if (running) look();
  });
  show();

  function say(text) {
    if (trouble.textContent !== text) trouble.textContent = text;  // a screen reader reads out every change
  }

  const isSelecting = live => { const selection = getSelection(); return !selection.isCollapsed && selection.containsNode(live, true); };

  function swap(page) {
    const live = document.getElementById("live"), fresh = page.getElementById("live");
    if (isSelecting(live)) return;
    document.getElementById("as-of").textContent = page.getElementById("as-of").textContent;
    if (fresh.innerHTML === seen) return;
    seen = fresh.innerHTML;
    for (const details of live.querySelectorAll("details[id]")) {
      const same = page.getElementById(details.id);
      if (same) same.open = details.open;
    }
    const focused = live.contains(document.activeElement) ? document.activeElement : null;
    const key = focused && (focused.id || (focused.closest("[id]") || {}).id);
    const { scrollX, scrollY } = window;
    live.replaceWith(document.adoptNode(fresh));
    if (key) {
      const same = document.getElementById(key);
      const target = same && (focused.id ? same : same.querySelector(focused.tagName.toLowerCase()));
      if (target) target.focus({ preventScroll: true });
    }
    scrollTo({ left: scrollX, top: scrollY, behavior: "instant" });
  }

  async function look() {
    const answer = await fetch(location.href, { cache: "no-store", credentials: "same-origin" }).catch(() => null);
    if (answer === null) return say("Not refreshed: gimel does not answer. Was it ended?");
    if (answer.status === 401) return location.reload();
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    if (answer.ok && page.getElementById("live")) {
      say("");
      return swap(page);
    }
    const failure = page.getElementById("failure");
    return say(`Not refreshed: ${failure ? failure.textContent.trim() : `status ${answer.status}`}`);
  }

  setInterval(() => { if (running && !document.hidden) look(); }, 1000 * seconds);
  document.addEventListener("visibilitychange", () => { if (running && !document.hidden) look(); });
})();
