import { powerLaw, sizeFactor, tokenFactor } from "./power_law.ts";

/** QiD over tokens D and size N at one bit width. Ouyang et al. 2024, arXiv 2411.17691, Eq. 8 with P fixed. */
export const sizeToken = powerLaw({
  name: "size-token",
  title: "Size-token law",
  source: "Ouyang et al. 2024, arXiv 2411.17691, Eq. 8 at one bit width",
  latex: String.raw`\Delta_q\mathrm{Loss}(N, D) = k\, \frac{D^{\beta}}{N^{\alpha}}`,
}, [tokenFactor, sizeFactor]);
