// Tells what the harness tells, out of WebAssembly: run.mjs FILE LEVEL STEPS
import { readFileSync } from "node:fs";

const [file, level, steps] = process.argv.slice(2);
const { instance } = await WebAssembly.instantiate(readFileSync(file), {});
const { count, number } = instance.exports;
const bits = new DataView(new ArrayBuffer(8));
for (let model = 0; model < 4; model++) {
  const words = [];
  const all = count(model, Number(steps));
  for (let k = 0; k < all; k++) {
    bits.setFloat64(0, number(k));
    words.push(bits.getBigUint64(0).toString(16).padStart(16, "0"));
  }
  console.log(level, model, words.join(" "));
}
