// Sends a file with tus-js-client as it does unless told otherwise: test_uploads.py.
"use strict";

const fs = require("fs");
const tus = require("tus-js-client");

const [file, how] = process.argv.slice(2);
const { address, headers, metadata } = JSON.parse(how);
const source = metadata.path.endsWith("memory") ? fs.readFileSync(file) : fs.createReadStream(file);
new tus.Upload(source, {
  endpoint: address,
  headers,
  metadata,
  onError: (error) => {
    console.error(String(error));
    process.exit(1);
  },
  onSuccess: () => console.log("sent"),
}).start();
