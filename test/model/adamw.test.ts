import { describe, expect, it } from "vitest";
import { createAdamW, createModel, gptNeoXConfig } from "../../lib/model/mod.ts";
import { loadKernel } from "../../lib/compute/mod.ts";

const kernel = loadKernel();

/** A matrix of 5 values, which decays, and a vector of 3, which does not. */
function twoTensors() {
  const [parameters, gradients] = [kernel.float32(8), kernel.float32(8)];
  parameters.set([0.5, -1.25, 2, 0, 3.5, 1, -2, 0.25]);
  const layout = [
    { name: "matrix", shape: [1, 5], offset: 0, length: 5 },
    { name: "vector", shape: [3], offset: 5, length: 3 },
  ];
  return { parameters, gradients, layout };
}

describe("AdamW", () => {
  it("takes the steps of torch.optim.AdamW after torch.nn.utils.clip_grad_norm_", () => {
    // Torch 2.13 in float64: learning rate 0.01, betas 0.9 and 0.95, decay 0.1 on the matrix, norm
    // 1.
    const steps = [
      {
        norm: 3.187867625859016,
        parameters: [
          ...[0.48950000106262276, -1.2387500031878675, 1.9880000006375738, -0.009999999787475428],
          ...[3.5064999998724855, 0.9900000003187869, -2.0099999993624262, 0.2599999987248527],
        ],
      },
      {
        norm: 5.456418239101545,
        parameters: [
          ...[0.47901954498522403, -1.227911763329784, 1.9771386615265623, -0.01958949315238541],
          ...[3.5129844568063375, 0.9804005070794395, -2.0199909558284843, 0.2695994908360492],
        ],
      },
      {
        norm: 7.914701510480355,
        parameters: [
          ...[0.4685392057544042, -1.217490146935265, 1.967740025269986, -0.028763612210450006],
          ...[3.5194727928610456, 0.9712067986682236, -2.029992275889628, 0.2787931979872559],
        ],
      },
    ];
    const model = twoTensors();
    const optimizer = createAdamW(kernel, model);
    steps.forEach(({ norm, parameters }, i) => {
      const t = i + 1;
      model.gradients.set([0.3 * t, -0.1, 0.7 - 0.2 * t, 1.5, -2.5 * t, 1, 0.5 * t, -0.25]);
      expect(optimizer.step(0.01).gradientNorm).toBeCloseTo(norm, 6);
      parameters.forEach((value, j) => expect(model.parameters[j]).toBeCloseTo(value, 6));
      expect(optimizer.state.steps).toBe(t);
    });
  });

  it("leaves small gradients unclipped, and takes another decay for one step", () => {
    const model = twoTensors();
    const optimizer = createAdamW(kernel, model, { weightDecay: 0 });
    model.gradients.fill(0);
    model.gradients[1] = 0.5;
    optimizer.step(0.01, { weightDecay: 0.5 });
    // The first step is the learning rate times the gradient's sign; the decay is 0.01 x 0.5 of the
    // value.
    expect(model.parameters[0]).toBeCloseTo(0.5 * 0.995, 6);
    expect(model.parameters[1]).toBeCloseTo(-1.25 * 0.995 - 0.01, 6);
    expect(optimizer.state.first[1]).toBeCloseTo(0.05, 6);
    expect(optimizer.state.second[1]).toBeCloseTo(0.0125, 6);
    optimizer.step(0.01);
    expect(model.parameters[0]).toBeCloseTo(0.5 * 0.995, 6);
  });

  it("goes on to the same bytes from a saved state", () => {
    const config = gptNeoXConfig({ width: 32, layers: 1, heads: 2, context: 16 });
    const tokens = Uint8Array.from({ length: 4 * 17 }, (_, i) => (i * i * 7 + i) % 256);
    const start = () => {
      const model = createModel(kernel, config, { seed: 1 });
      const optimizer = createAdamW(kernel, model);
      const train = (steps: number) => {
        for (let i = 0; i < steps; i++) {
          model.lossAndGradients(tokens);
          optimizer.step(1e-3);
        }
      };
      return { model, optimizer, train };
    };
    const [whole, first, second] = [start(), start(), start()];
    whole.train(5);
    first.train(2);
    second.model.parameters.set(first.model.parameters);
    second.optimizer.state.first.set(first.optimizer.state.first);
    second.optimizer.state.second.set(first.optimizer.state.second);
    second.optimizer.state.steps = first.optimizer.state.steps;
    second.train(3);
    expect(second.model.parameters).toEqual(whole.model.parameters);
    expect(whole.model.lossAndGradients(tokens)).toBeLessThan(
      start().model.lossAndGradients(tokens),
    );
  });

  it("changes nothing when a gradient is not finite", () => {
    const model = twoTensors();
    const optimizer = createAdamW(kernel, model);
    const before = model.parameters.slice();
    model.gradients[3] = NaN;
    expect(() => optimizer.step(0.01)).toThrow(
      "Cannot take step 1: the norm of the gradients must be finite: got NaN: lower the learning rate",
    );
    expect(model.parameters).toEqual(before);
    expect(optimizer.state.steps).toBe(0);
  });
});
