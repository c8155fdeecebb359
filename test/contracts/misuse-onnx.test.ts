import { misuse } from './misuse-suite.js';

await misuse('onnx');
