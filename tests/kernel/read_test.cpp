// SPDX-License-Identifier: MIT
// read(): text for cat and scripts.
#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <sstream>
#include <thread>

#include "device_fixture.hpp"

namespace evring::kernel_test {
namespace {

class ReadTest : public DeviceTest {
 protected:
  static std::string read_some(int fd, std::size_t bytes = 65536) {
    std::string text(bytes, '\0');
    const ssize_t got = ::read(fd, text.data(), text.size());
    text.resize(got < 0 ? 0 : static_cast<std::size_t>(got));
    return text;
  }
};

TEST_F(ReadTest, PrintsALineForEachEvent) {
  Device device = add();
  const std::uint64_t word = 0x0807060504030201;
  InjectedEvent events[2];
  events[0].type = 9;
  events[0].length_bytes = 8;
  events[0].word[0] = word;
  events[1].length_bytes = 0;
  device.inject(events, 2, sizeof(InjectedEvent));
  std::istringstream text(read_some(device.fd()));
  std::uint64_t sequence, timestamp_ns, type, length;
  std::string payload;
  ASSERT_TRUE(text >> sequence >> timestamp_ns >> type >> length >> payload);
  EXPECT_EQ(sequence, 0u);
  EXPECT_EQ(type, 9u);
  EXPECT_EQ(length, 8u);
  EXPECT_EQ(payload, "0102030405060708");
  ASSERT_TRUE(text >> sequence >> timestamp_ns >> type >> length >> payload);
  EXPECT_EQ(payload, "-");
}

TEST_F(ReadTest, GivesTheSameTextInSmallPieces) {
  Device device = add();
  inject(device, 3);
  const std::string whole = read_some(Device::open(device.name()).fd());
  std::string pieces;
  while (pieces.size() < whole.size()) pieces += read_some(device.fd(), 7);
  EXPECT_EQ(pieces, whole);
}

TEST_F(ReadTest, SaysHowManyEventsWereLost) {
  Device device = add();
  for (int i = 0; i < 10; ++i) inject(device, 20);
  std::istringstream text(read_some(device.fd()));
  std::string line;
  std::uint64_t lines = 0, lost = 0;
  while (std::getline(text, line)) {
    if (line.starts_with("# lost ")) {
      lost += std::stoull(line.substr(7));
    } else {
      ++lines;
    }
  }
  EXPECT_GT(lost, 0u);
  EXPECT_EQ(lines + lost, 200u);
}

TEST_F(ReadTest, NonBlockingReadOfNothingSaysSo) {
  Device device = add();
  ASSERT_EQ(::fcntl(device.fd(), F_SETFL, O_NONBLOCK), 0);
  char byte;
  EXPECT_EQ(::read(device.fd(), &byte, 1), -1);
  EXPECT_EQ(errno, EAGAIN);
}

TEST_F(ReadTest, BlocksUntilAnEventComes) {
  Device device = add();
  std::string text;
  std::thread reader([&] { text = read_some(device.fd()); });
  EXPECT_TRUE(eventually([&] { return attribute(device.name(), "armed_count") == 1; }));
  inject(device, 1);
  reader.join();
  EXPECT_TRUE(text.starts_with("0 ")) << text;
}

TEST_F(ReadTest, PollsReadableForWhatIsUnread) {
  Device device = add();
  pollfd poller{device.fd(), POLLIN, 0};
  EXPECT_EQ(::poll(&poller, 1, 0), 0);
  inject(device, 1);
  EXPECT_EQ(::poll(&poller, 1, 10000), 1);
  EXPECT_EQ(poller.revents, POLLIN);
  read_some(device.fd());
  EXPECT_EQ(::poll(&poller, 1, 0), 0);
}

TEST_F(ReadTest, EndsAfterTheLastEventOfARemovedDevice) {
  Device device = add();
  inject(device, 2);
  ASSERT_EQ(remove(device.name()), 0);
  EXPECT_FALSE(read_some(device.fd()).empty());
  char byte;
  EXPECT_EQ(::read(device.fd(), &byte, 1), -1);
  EXPECT_EQ(errno, ENODEV);
}

}  // namespace
}  // namespace evring::kernel_test
