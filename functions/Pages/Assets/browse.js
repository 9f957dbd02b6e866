"use strict";

// The pages work without this file. It adds buttons that copy, and a search as you type.

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

showButtons(document);
for (const form of document.querySelectorAll("form[data-results]")) {
  searchAsYouType(form);
}
