// The echo server of bare-grpc.ts: tells its parent its port, and answers until it is killed.

import { type handleUnaryCall, Server, ServerCredentials } from '@grpc/grpc-js';
import { ECHO } from './bare-grpc.js';

const server = new Server();
const unary: handleUnaryCall<Buffer, Buffer> = (call, done) => done(null, call.request);
const stream = (call: NodeJS.ReadWriteStream): void => {
  call.on('data', (message: Buffer) => call.write(message as never));
  call.on('end', () => call.end());
};
server.addService(ECHO, { unary, stream: stream as never });
server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, port) => {
  if (error) throw error;
  process.send?.(port);
});
