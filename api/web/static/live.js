// Live updates for staff's pages. Everything else works without this file.
// No text from the server ever becomes markup here, save our own page, fetched from our own address.

/** Replace each element marked data-refresh="SECONDS" by its newer self from the same address. */
function keepFresh(element) {
  const seconds = Number(element.dataset.refresh);
  const again = () => setTimeout(refresh, seconds * 1000);
  async function refresh() {
    // Nobody is looking, or somebody is about to type or press: leave everything where it is.
    if (document.hidden || element.contains(document.activeElement)) return again();
    try {
      const answer = await fetch(location.href, { headers: { Accept: "text/html", "X-Refresh": "1" } });
      if (answer.redirected) return location.reload(); // the session has ended
      if (!answer.ok) return again();
      const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById(element.id);
      // What else is on the page does not fit any more: all of it anew, unless somebody is filling in a form.
      const isOther = fresh && fresh.dataset.version !== element.dataset.version;
      if (isOther && !document.activeElement?.closest("form")) return location.reload();
      if (fresh && fresh.innerHTML !== element.innerHTML) element.replaceChildren(...fresh.childNodes);
    } catch {
      // The network is away for the moment: what is shown stays, and is tried again.
    }
    return again();
  }
  again();
}

/** Make one line of an operation's log. */
function logLine(event) {
  const line = document.createElement("li");
  line.className = `log-${/^[a-z_]+$/.test(event.kind) ? event.kind : "other"}`;
  const time = document.createElement("time");
  time.dateTime = event.at;
  time.textContent = new Date(event.at).toISOString().slice(11, 19);
  const message = document.createElement("span");
  message.textContent = event.message;
  line.append(time, message);
  return line;
}

/** Follow an operation's log as it is written; when the operation has ended, the page shows what became of it. */
function follow(log) {
  const state = document.getElementById("log-state");
  const say = (text) => state && (state.textContent = text);
  const source = new EventSource(log.dataset.stream);
  source.addEventListener("open", () => say("live"));
  source.addEventListener("error", () => say("reconnecting"));
  source.addEventListener("line", (message) => {
    const atEnd = log.scrollHeight - log.scrollTop - log.clientHeight < 40;
    document.getElementById("log-empty")?.remove();
    log.append(logLine(JSON.parse(message.data)));
    if (atEnd) log.scrollTop = log.scrollHeight;
  });
  source.addEventListener("end", () => {
    source.close();
    say("ended");
    if (!("stay" in log.dataset)) location.reload();
  });
}

for (const element of document.querySelectorAll("[data-refresh]")) keepFresh(element);
for (const element of document.querySelectorAll("[data-stream]")) follow(element);
for (const element of document.querySelectorAll(".log")) element.scrollTop = element.scrollHeight;
