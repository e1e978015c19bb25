"use strict";
// What every part of the page shares: its data, what the reader chose (it stands in the address), the clock and the zone.
globalThis.actioncast = (() => {
  const read = (root) => JSON.parse(root.getElementById("data").textContent);
  let data = read(document);
  const redrawn = []; // called when the data, the zone or the colours have changed

  // What the reader chose: #zone=UTC&range=7+d
  const choices = new URLSearchParams(location.hash.slice(1));
  function choose(name, value) {
    if (value == null || value === "") choices.delete(name);
    else choices.set(name, value);
    const text = choices.toString();
    history.replaceState(null, "", text ? `#${text}` : location.pathname + location.search);
  }

  // The page may be older than now: an export on a disk, or a tab that was left open. A rehearsal's clock stands still.
  const now = () => (data.clockRuns ? Math.max(data.now, Date.now() / 1000) : data.now);

  function zone() {
    const chosen = choices.get("zone");
    if (chosen === "browser") return Intl.DateTimeFormat().resolvedOptions().timeZone;
    return chosen === "UTC" ? "UTC" : data.zone;
  }

  // About how long, as the server says it: 40 min, 5 h, 12 days.
  function duration(seconds) {
    const minutes = Math.max(seconds / 60, 0);
    if (minutes < 60) return `${Math.round(minutes)} min`;
    if (minutes < 48 * 60) return `${Math.round(minutes / 60)} h`;
    return `${Math.round(minutes / 1440).toLocaleString("en")} days`;
  }

  // A light turns when its time has come.
  function turn(light) {
    const past = JSON.parse(light.dataset.turns).filter(([after]) => after < now());
    if (!past.length) return;
    const [, status, word] = past.at(-1);
    light.classList.remove("good", "watch", "bad");
    light.classList.add(status);
    light.querySelector(".word").textContent = word;
  }

  function age() {
    for (const element of document.querySelectorAll("[data-age]")) {
      element.textContent = duration(now() - Number(element.dataset.age));
    }
    for (const light of document.querySelectorAll("[data-turns]")) turn(light);
    let ahead = 0;
    for (const row of document.querySelectorAll("[data-until]")) {
      row.hidden = Number(row.dataset.until) <= now();
      ahead += row.hidden ? 0 : 1;
    }
    for (const element of document.querySelectorAll("[data-ahead]")) {
      element.textContent = `${ahead} ${ahead === 1 ? data.noun : data.plural}`;
    }
  }

  // Moments in the zone that the reader chose: 04 Mar 2022 03:00.
  function moment(seconds) {
    const options = { day: "2-digit", month: "short", year: "numeric", hour: "2-digit", minute: "2-digit", hourCycle: "h23" };
    const parts = new Intl.DateTimeFormat("en-GB", { timeZone: zone(), ...options }).formatToParts(seconds * 1000);
    const part = (type) => parts.find((each) => each.type === type).value;
    return `${part("day")} ${part("month").slice(0, 3)} ${part("year")} ${part("hour")}:${part("minute")}`;
  }
  function showTimes() {
    for (const element of document.querySelectorAll("time[datetime]")) {
      element.textContent = moment(Date.parse(element.dateTime) / 1000);
    }
    for (const element of document.querySelectorAll("[data-zone]")) element.textContent = zone();
  }

  const redraw = () => redrawn.forEach((draw) => draw());

  function prepare() {
    const select = document.getElementById("zone");
    if (select) {
      select.closest("label").hidden = false;
      select.value = choices.get("zone") ?? "";
      select.addEventListener("change", () => {
        choose("zone", select.value);
        showTimes();
        redraw();
      });
    }
    if (choices.get("zone")) showTimes();
    age();
  }

  // A live page looks every minute whether it has changed, and keeps what the reader has chosen and opened.
  async function refetch() {
    if (document.hidden) return;
    const answer = await fetch(location.href.split("#")[0], { cache: "no-cache", headers: { Accept: "text/html" } });
    const tag = answer.headers.get("ETag");
    if (!answer.ok || tag === etag) return;
    etag = tag;
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
    const version = read(fresh).version;
    if (version === data.version) return;
    const opened = new Set([...document.querySelectorAll("details[open]")].map((details) => details.id));
    document.querySelector("main").replaceWith(document.adoptNode(fresh.querySelector("main")));
    document.getElementById("data").textContent = fresh.getElementById("data").textContent;
    for (const details of document.querySelectorAll("details")) details.open = opened.has(details.id);
    data = read(document);
    prepare();
    redraw();
  }
  let etag = null;

  document.addEventListener("DOMContentLoaded", () => {
    prepare();
    setInterval(age, 15_000);
    if (data.live && data.clockRuns) setInterval(() => refetch().catch(() => {}), 60_000);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);
  });

  return { get data() { return data; }, choices, choose, now, zone, moment, refetch, redrawn };
})();
