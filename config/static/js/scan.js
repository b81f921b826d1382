// Samples, or the kiosk that a tablet becomes, by their codes: with the camera of the machine, or a hand scanner that types into the box. A
// code of the list is ticked there, and the next one can follow; any other goes to the box, whose
// form asks the server for its sample. What a code says is never opened itself. The browser's own
// BarcodeDetector reads, or a reader that is loaded only when somebody asks for the camera.
"use strict";

(function () {
  const form = document.querySelector("form[data-scanned]");
  const dialog = document.getElementById("scan");
  if (!form || !dialog) {
    return;
  }
  const words = dialog.dataset;
  const box = form.elements.code;
  const video = dialog.querySelector("video");
  const heard = dialog.querySelector("[role=status]");
  const ticked = form.querySelector("[role=status]");
  const EVERY = 150; // milliseconds between two looks
  let stream = null, last = "";

  // The code in a text, as the server reads it: the last part of an address, in capitals.
  const codeIn = (text) => text.trim().replace(/\/+$/, "").split("/").pop().toUpperCase().replace(/[^0-9A-Z]/g, "");

  function tick(text) {
    const code = codeIn(text);
    const row = code && document.querySelector(`input[data-code="${code}"]`);
    if (!row) {
      return false;
    }
    row.checked = true;
    row.dispatchEvent(new Event("change", { bubbles: true }));
    const said = words.ticked.replace("{name}", row.dataset.name);
    heard.textContent = said;
    ticked.textContent = said;
    return true;
  }

  form.addEventListener("submit", function (event) {
    if (tick(box.value)) {
      event.preventDefault();
      box.value = "";
      box.focus();
    }
  });

  async function detectorOf() {
    const own = window.BarcodeDetector;
    if (own && (await own.getSupportedFormats()).includes("qr_code")) {
      return new own({ formats: ["qr_code"] });
    }
    const { BarcodeDetector } = await import(words.reader);
    return new BarcodeDetector({ formats: ["qr_code"] });
  }

  async function look(detector) {
    while (stream) {
      const found = video.readyState < 2 ? [] : await detector.detect(video).catch(() => []);
      const text = found.length ? found[0].rawValue : "";
      if (stream && text && text !== last) {
        last = text; // as long as it is before the camera, a code counts once
        if (!tick(text)) {
          dialog.close();
          box.value = text.slice(0, box.maxLength);
          form.requestSubmit();
          return;
        }
      }
      await new Promise((resolve) => window.setTimeout(resolve, EVERY));
    }
  }

  function stop() {
    stream?.getTracks().forEach((track) => track.stop());
    stream = video.srcObject = null;
  }

  async function begin() {
    heard.textContent = words.starting;
    last = "";
    dialog.showModal();
    try {
      const [detector, camera] = await Promise.all([
        detectorOf(),
        navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment" }, audio: false }),
      ]);
      stream = camera;
      if (!dialog.open) { // closed meanwhile
        stop();
        return;
      }
      video.srcObject = stream;
      await video.play();
      heard.textContent = words.aim;
      look(detector);
    } catch (error) {
      stop();
      heard.textContent = words.none;
    }
  }

  dialog.addEventListener("close", stop);
  const button = form.querySelector("[data-scan]");
  if (navigator.mediaDevices?.getUserMedia) {
    button.hidden = false;
    button.addEventListener("click", begin);
  }

  // All rows of the page, by the tick above them.
  const all = document.querySelector("[data-tick-all]");
  all?.addEventListener("change", function () {
    document.querySelectorAll("input[data-code]").forEach((row) => { row.checked = all.checked; });
  });
})();
