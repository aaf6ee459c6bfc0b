// @deltabase/grpc-connection: what lies under gRPC: connections in the hands of whoever opened their channels, and the
// streams of HTTP/2 below calls.

export {
  type ByteStream,
  type BytesCall,
  byteStreamOf,
  FRAME_HEADER_BYTES,
  openByteStream,
  putFrameHeader,
} from './byte-stream.js';
export { Connection } from './connection.js';
