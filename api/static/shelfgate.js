// What pages do beyond links and forms: progress as it happens, results that come in, and forms that are sent once.
// Every page works without it.
"use strict";

const LOOK = 2000; // milliseconds between two looks where there is no stream

/** Put numbers, as the service tells them, where a page shows them. */
function show(box, told) {
  const numbers = { ...told, ...told.rows_by_state };
  for (const place of box.querySelectorAll("[data-count]")) {
    place.textContent = numbers[place.dataset.count];
  }
  for (const bar of box.querySelectorAll("progress")) {
    bar.max = numbers[bar.dataset.max] || 1;
    bar.value = numbers[bar.dataset.value];
  }
  const left = told.remaining_seconds;
  box.querySelector("[data-remaining]").textContent = left ? `约还要 ${spoken(left)}` : "";
}

function spoken(seconds) {
  return seconds < 60 ? `${seconds} 秒` : `${Math.ceil(seconds / 60)} 分钟`;
}

/** Fetch the page anew and put its live part in the place of the old one. */
async function refresh() {
  const reply = await fetch(location.href, { headers: { Accept: "text/html" } });
  if (!reply.ok || reply.redirected) {
    return;
  }
  const page = new DOMParser().parseFromString(await reply.text(), "text/html");
  for (const old of document.querySelectorAll("[data-live]")) {
    const fresh = page.getElementById(old.id);
    if (fresh) {
      old.replaceWith(fresh);
    }
  }
  begin();
}

/** Follow an upload: by its stream of events, or, where that can't be had, by asking now and then. */
function follow(box) {
  const address = box.dataset.progress;
  let state = "";
  const tell = (told) => {
    show(box, told);
    if (state && state !== told.state) {
      refresh(); // another stage: rows have come in
      return true;
    }
    state = told.state;
    return false;
  };
  const source = new EventSource(`${address}/events`);
  source.onmessage = (event) => tell(JSON.parse(event.data)) && source.close();
  source.addEventListener("done", () => {
    source.close();
    refresh();
  });
  source.onerror = () => {
    if (source.readyState === EventSource.CLOSED) {
      ask(address, tell);
    }
  };
}

async function ask(address, tell) {
  try {
    const reply = await fetch(address, { headers: { Accept: "application/json" } });
    if (reply.ok && tell(await reply.json())) {
      return;
    }
  } catch {
    // away for the moment
  }
  setTimeout(ask, LOOK, address, tell);
}

/** Look again while the channel's answer is still to come, unless a form is being filled in. */
function wait() {
  setTimeout(() => (document.querySelector("details[open]") ? wait() : refresh().catch(wait)), LOOK);
}

function begin() {
  document.querySelectorAll("[data-progress]").forEach(follow);
  if (document.querySelector("[data-waiting]")) {
    wait();
  }
}

/** Keep a form that takes a while from being sent twice. */
function once(form) {
  const button = form.querySelector("[type=submit]");
  form.addEventListener("submit", () => {
    button.disabled = true;
    button.textContent = "正在上传……";
  });
}

document.querySelectorAll("form[data-once]").forEach(once);
window.addEventListener("pageshow", (event) => event.persisted && location.reload());
begin();
