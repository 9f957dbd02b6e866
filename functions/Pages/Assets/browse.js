"use strict";

// The pages work without this file. It adds buttons that copy, a search as you type, and what has changed meanwhile.

const said = document.querySelector(".said");

async function copy(text) {
  if (navigator.clipboard) {
    await navigator.clipboard.writeText(text);
    return;
  }
  // Browsers give the clipboard only to pages over TLS.
  const area = document.createElement("textarea");
  area.value = text;
  document.body.append(area);
  area.select();
  document.execCommand("copy");
  area.remove();
}

function showButtons(within) {
  for (const button of within.querySelectorAll("button[data-copy]")) {
    button.hidden = false;
  }
}

document.addEventListener("click", async (event) => {
  const button = event.target.closest("button[data-copy]");
  if (!button) {
    return;
  }
  try {
    await copy(button.dataset.copy);
    said.textContent = "Copied";
  } catch {
    said.textContent = "The browser does not allow to copy";
  }
  setTimeout(() => (said.textContent = ""), 2000);
});

function searchAsYouType(form) {
  const results = document.getElementById(form.dataset.results);
  let timer;
  let running;
  async function search() {
    running?.abort();
    running = new AbortController();
    const query = new URLSearchParams(new FormData(form));
    const address = `${form.getAttribute("action")}?${query}`;
    try {
      const answer = await fetch(address, { signal: running.signal, credentials: "same-origin" });
      if (!answer.ok || answer.redirected) {
        // The session is over, or something is wrong: the page itself says so.
        location.assign(address);
        return;
      }
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      results.replaceChildren(...page.getElementById(results.id).childNodes);
      showButtons(results);
      history.replaceState(null, "", address);
    } catch (error) {
      if (error.name !== "AbortError") {
        said.textContent = "The service does not answer";
      }
    }
  }
  form.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(search, 120);
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    clearTimeout(timer);
    search();
  });
}

// What has the focus in one version of a part of the page, in the other: the same link, button or summary.
function sameControl(active, within) {
  const nameOf = (control) => control.getAttribute("href") ?? control.dataset.copy ?? control.textContent;
  return [...within.querySelectorAll("a, button, summary")].find(
    (control) => control.localName === active.localName && nameOf(control) === nameOf(active),
  );
}

// Puts a newer version in place, unless somebody is at something that it does not have, or selects text.
function replaced(part, newer) {
  const active = part.contains(document.activeElement) ? document.activeElement : null;
  const focused = active && sameControl(active, newer);
  if ((active && !focused) || !document.getSelection().isCollapsed) {
    return false;
  }
  const open = [...part.querySelectorAll("details[open] > summary")].map((summary) => summary.textContent);
  for (const summary of newer.querySelectorAll("details > summary")) {
    summary.parentElement.open = open.includes(summary.textContent);
  }
  part.replaceChildren(...newer.childNodes);
  showButtons(part);
  focused?.focus({ preventScroll: true });
  return true;
}

// Asks again for the page while it is looked at, less often while nothing changes. The service says by the ETag that nothing has.
function keepFresh(part) {
  const [shortest, longest] = [10_000, 60_000];
  let [shown, address, etag, wait, timer] = [part.innerHTML, location.href, "", shortest, 0];

  function plan(milliseconds) {
    clearTimeout(timer);
    timer = document.hidden ? 0 : setTimeout(look, milliseconds);
  }

  function take(newer) {
    const html = newer?.innerHTML;
    if (html === shown) {
      return true;
    }
    if (!newer || !replaced(part, newer)) {
      return false;
    }
    [shown, wait] = [html, shortest];
    return true;
  }

  async function look() {
    if (location.href !== address) {
      // A search has put something else here.
      [shown, address, etag] = ["", location.href, ""];
    }
    wait = Math.min(longest, wait * 1.5);
    try {
      const answer = await fetch(address, {
        headers: etag ? { "If-None-Match": etag } : {},
        credentials: "same-origin",
        signal: AbortSignal.timeout(longest),
      });
      if (answer.redirected || [401, 403, 404].includes(answer.status)) {
        said.textContent = "This page is no longer up to date: load it again";
        return;
      }
      if (answer.ok) {
        const page = new DOMParser().parseFromString(await answer.text(), "text/html");
        if (location.href === address && take(page.getElementById(part.id))) {
          etag = answer.headers.get("ETag") ?? "";
        }
      }
    } catch {
      // The service does not answer now: later.
    }
    plan(wait);
  }

  document.addEventListener("visibilitychange", () => plan(1_000));
  plan(wait);
}

for (const part of document.querySelectorAll("[data-live]")) {
  keepFresh(part);
}
showButtons(document);
for (const form of document.querySelectorAll("form[data-results]")) {
  searchAsYouType(form);
}
