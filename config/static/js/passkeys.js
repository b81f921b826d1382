// Passkeys: a form with data-passkey asks the browser for one and sends what it answers.
//   data-passkey="add"   makes one, with the options in the element named by data-options
//   data-passkey="use"   shows one, with the options there or, without, asked of the form's address
"use strict";

(function () {
  const isAddress = /^[\d.]+$|^\[/.test(window.location.hostname);
  const canWork = Boolean(window.PublicKeyCredential) && !isAddress;

  async function optionsOf(form) {
    const place = form.dataset.options && document.getElementById(form.dataset.options);
    if (place) {
      return JSON.parse(place.textContent);
    }
    const answer = await fetch(form.action, { headers: { Accept: "application/json" } });
    if (!answer.ok) {
      throw new Error(String(answer.status));
    }
    return answer.json();
  }

  async function ask(form) {
    const options = await optionsOf(form);
    if (form.dataset.passkey === "add") {
      const wanted = options.creation_options;
      // Kept on the device where it can be, so that it opens without a password too.
      Object.assign(wanted.publicKey.authenticatorSelection, {
        residentKey: "preferred", requireResidentKey: false, userVerification: "required",
      });
      return window.webauthnJSON.create(wanted);
    }
    return window.webauthnJSON.get(options.request_options);
  }

  function say(form, text) {
    const place = form.querySelector("[data-passkey-said]");
    place.textContent = text;
    place.hidden = !text;
  }

  for (const form of document.querySelectorAll("form[data-passkey]")) {
    const button = form.querySelector("[data-passkey-go]");
    if (!canWork) {
      form.hidden = "quiet" in form.dataset;  // one way of several
      button.disabled = true;
      say(form, isAddress ? form.dataset.byAddress : form.dataset.unknown);
      continue;
    }
    form.addEventListener("submit", async function (event) {
      event.preventDefault();
      button.disabled = true;
      say(form, "");
      try {
        form.elements.credential.value = JSON.stringify(await ask(form));
        form.submit();
      } catch (error) {
        button.disabled = false;
        say(form, form.dataset.failed);
      }
    });
  }
})();
