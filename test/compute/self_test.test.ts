import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { type FullProduct, startModule, wasmMultiply } from "../../lib/compute/machine.ts";
import { loadKernel } from "../../lib/compute/mod.ts";
import { testMultiply } from "../../lib/compute/self_test.ts";

const { arena, wasm } = startModule(2 ** 26);
const right = wasmMultiply(arena, wasm);

describe("testMultiply", () => {
  it("accepts the WebAssembly products", () => {
    testMultiply("WebAssembly", right);
  });

  const mistakes: [string, (product: FullProduct) => void][] = [
    ["computes nothing", () => {}],
    ["ignores alpha", (product) => right({ ...product, alpha: 1 })],
    ["ignores beta", (product) => right({ ...product, beta: 0 })],
    ["takes B the wrong way", (product) => {
      const { n, k, transposeB } = product;
      right(n === k ? { ...product, transposeB: !transposeB } : product);
    }],
    ["loses the last step of a long sum", (product) => {
      right({ ...product, k: product.k > 500 ? product.k - 1 : product.k });
    }],
    ["is off in one value of a large product", (product) => {
      right(product);
      if (product.m > 100) product.c[77 * product.ldc + 99]! *= 1.01;
    }],
    ["computes f64 in f32", (product) => {
      right(product);
      if (product.c instanceof Float64Array) product.c.set(Float32Array.from(product.c));
    }],
    ["writes between the rows of C", (product) => {
      right(product);
      product.c[product.n] = 0;
    }],
    ["reads C although beta is 0", (product) => {
      const old = product.c.slice();
      right(product);
      if (product.beta === 0) product.c.forEach((x, at) => product.c[at] = x + 0 * old[at]!);
    }],
  ];
  it.each(mistakes)("rejects a library that %s", (_, wrong) => {
    expect(() => testMultiply("libwrong", wrong))
      .toThrow(/^libwrong computes matrix products wrong: f(32|64), form [NT]{2}, \[/);
  });
});

describe("loadKernel with BLAS", () => {
  it("says what it tried when the library is not there", () => {
    expect(() => loadKernel({ backend: "blas", library: "libnothing.so" })).toThrow(
      /^Cannot use a BLAS library: install OpenBLAS, .*\n- .*libnothing/,
    );
  });

  it("refuses a real library that computes wrong, and one that is no BLAS", ({ skip }) => {
    const folder = mkdtempSync(join(tmpdir(), "compute-"));
    const build = (name: string, source: string) => {
      const library = join(folder, `${name}.so`);
      writeFileSync(join(folder, `${name}.c`), source);
      execFileSync("cc", ["-shared", "-fPIC", "-o", library, join(folder, `${name}.c`)]);
      return library;
    };
    // A plain product that stops at 256 terms.
    const gemm = (name: string, type: string) =>
      `void cblas_${name}(int order, int ta, int tb, int m, int n, int k, ${type} alpha,
         const ${type} *a, int lda, const ${type} *b, int ldb, ${type} beta, ${type} *c, int ldc) {
         for (int i = 0; i < m; i++) for (int j = 0; j < n; j++) {
           double sum = 0;
           for (int l = 0; l < k && l < 256; l++)
             sum += (double)a[ta == 111 ? i * lda + l : l * lda + i] *
               b[tb == 111 ? l * ldb + j : j * ldb + l];
           c[i * ldc + j] = alpha * sum + (beta == 0 ? 0 : beta * c[i * ldc + j]);
         }
       }`;
    try {
      try {
        execFileSync("cc", ["--version"]);
      } catch {
        return skip("no C compiler");
      }
      const wrong = build("wrong", gemm("sgemm", "float") + gemm("dgemm", "double"));
      expect(() => loadKernel({ backend: "blas", library: wrong }))
        .toThrow(/wrong\.so computes matrix products wrong: f32, form NN, \[49, 31, 300\]/);
      const other = build("other", "int answer(void) { return 42; }");
      expect(() => loadKernel({ backend: "blas", library: other })).toThrow(/cblas_[sd]gemm/);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
