export default {
  testEnvironment: './test/helpers/environment.cjs',
  extensionsToTreatAsEsm: ['.ts'],
  transform: { '\\.ts$': './test/helpers/transform.cjs' },
  moduleNameMapper: {
    '^(\\.{1,2}/.*)\\.js$': ['$1.ts', '$1.js'],
    '^#load$': '<rootDir>/src/runtime/load.node.ts',
    '^#scalars$': '<rootDir>/src/runtime/load-scalars.ts',
    '^#ort$': '<rootDir>/src/onnx/ort.node.ts',
    '^#threads$': '<rootDir>/src/threads/spawn.node.ts',
    '^#files$': '<rootDir>/src/onnx/files.node.ts',
  },
  setupFiles: ['./test/helpers/setup.ts'],
  testMatch: ['<rootDir>/test/**/*.test.ts'],
  testTimeout: 60_000,
  workerIdleMemoryLimit: '2GB',
  reporters: [['default', { summaryThreshold: 0 }], './test/golden/reporter.cjs'],
};
