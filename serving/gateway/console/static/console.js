// The console works without this script; it adds dropping, pasting, the camera, progress, the slider and keys.
"use strict";

const csrf = () => document.body.dataset.csrf;

// --- Identify: one request a photo, with its progress ---------------------------------------------------------
const form = document.getElementById("identify");
const results = document.getElementById("results");

function element(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  node.append(...children);
  return node;
}

function placeholder(file) {
  const bar = element("progress", { max: 1, value: 0, "aria-label": results.dataset.uploading });
  const words = element("p", {}, `${results.dataset.uploading}: ${file.name}`);
  const photo = element("img", { class: "photo", alt: "" });
  photo.src = URL.createObjectURL(file);
  const card = element("article", { class: "result", "aria-busy": "true" },
    element("figure", { class: "picture" }, photo), element("div", { class: "answer" }, words, bar));
  results.prepend(card);
  return { card, bar, words, preview: photo.src };
}

function send(file) {
  const { card, bar, words, preview } = placeholder(file);
  const request = new XMLHttpRequest();
  const started = performance.now();
  request.upload.onprogress = (event) => { if (event.lengthComputable) bar.value = event.loaded / event.total; };
  request.upload.onload = () => { bar.removeAttribute("value"); words.textContent = results.dataset.waiting; };
  const done = new Promise((resolve) => { request.onloadend = resolve; });
  request.onload = () => {
    if (request.status === 401) { location.href = "/sign-in"; return; }
    const fresh = new DOMParser().parseFromString(request.responseText, "text/html").querySelectorAll("article");
    if (!fresh.length) return fail(card, words);
    for (const article of fresh) {
      const photo = article.querySelector(".photo");
      if (photo) keepPreview(photo, preview);
      const latency = article.querySelector("[data-latency]");
      if (latency) latency.textContent = `· ${Math.round(performance.now() - started)} ms`;
    }
    card.replaceWith(...fresh);
    for (const article of fresh) window.htmx?.process(article);
  };
  request.onerror = () => fail(card, words);
  const body = new FormData();
  body.append("files", file);
  request.open("POST", "/identify");
  request.setRequestHeader("X-CSRF-Token", csrf());
  request.setRequestHeader("HX-Request", "true");
  request.send(body);
  return done;
}

function keepPreview(photo, preview) {
  const stored = photo.getAttribute("src");  // shown where the browser cannot show the format itself
  photo.onerror = () => { photo.onerror = null; photo.src = stored; };
  photo.src = preview;
}

function fail(card, words) {
  card.removeAttribute("aria-busy");
  card.classList.add("refused");
  card.querySelector("progress")?.remove();
  words.textContent = results.dataset.failed;
}

async function identify(files) {
  for (const file of files) await send(file);  // one after another: each shows its own progress
}

if (form) {
  const input = document.getElementById("files");
  const camera = document.getElementById("camera");
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    identify([...input.files]).then(() => { input.value = ""; });
  });
  input.addEventListener("change", () => form.requestSubmit());
  document.getElementById("submit").hidden = true;
  if (matchMedia("(pointer: coarse)").matches) {
    document.querySelector(".camera").hidden = false;
    camera.addEventListener("change", () => identify([...camera.files]));
  }
  for (const kind of ["dragover", "dragleave", "drop"]) {
    form.addEventListener(kind, (event) => {
      event.preventDefault();
      form.classList.toggle("over", kind === "dragover");
      if (kind === "drop") identify([...event.dataTransfer.files]);
    });
  }
  document.addEventListener("paste", (event) => {
    const files = [...event.clipboardData.files].filter((file) => file.type.startsWith("image/"));
    if (files.length) identify(files);
  });
}

// --- The slider that shows the evidence ---------------------------------------------------------------------
document.addEventListener("input", (event) => {
  if (!event.target.matches?.("[data-heat]")) return;
  event.target.closest(".picture").querySelector(".heat").style.opacity = event.target.value / 100;
});

// --- Photos that were not stored ----------------------------------------------------------------------------
for (const photo of document.querySelectorAll("img[data-missing]")) {
  const swap = () => { photo.src = photo.dataset.missing; };
  if (photo.complete && !photo.naturalWidth) swap(); else photo.addEventListener("error", swap, { once: true });
}

// --- Keys of the Review page --------------------------------------------------------------------------------
document.addEventListener("keydown", (event) => {
  if (event.target.matches("input:not([type=radio]), select, textarea") || event.ctrlKey || event.metaKey || event.altKey) return;
  document.querySelector(`[data-key="${CSS.escape(event.key)}"]`)?.click();
});

document.addEventListener("htmx:configRequest", (event) => { event.detail.headers["X-CSRF-Token"] = csrf(); });
