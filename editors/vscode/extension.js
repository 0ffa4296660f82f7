// Starts `gdc lsp` for .gd files.

const vscode = require("vscode");

let client;

function activate() {
  let LanguageClient;
  try {
    ({ LanguageClient } = require("vscode-languageclient/node"));
  } catch {
    return; // Without the client there are colours only.
  }
  const command = vscode.workspace.getConfiguration("gdc").get("path", "gdc");
  client = new LanguageClient(
    "gdc",
    "gdc",
    { command, args: ["lsp"] },
    { documentSelector: [{ language: "gdc" }] },
  );
  return client.start();
}

function deactivate() {
  return client?.stop();
}

module.exports = { activate, deactivate };
