// SPDX-License-Identifier: MIT
#include "process.hpp"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <system_error>

namespace evring {
namespace {

std::string make_file() {
  std::string path = "/tmp/evring-test-XXXXXX";
  const int fd = mkstemp(path.data());
  if (fd < 0) throw std::system_error(errno, std::generic_category(), path);
  close(fd);
  return path;
}

void redirect(int fd, const std::string& path) {
  const int file = open(path.c_str(), O_WRONLY | O_APPEND);
  dup2(file, fd);
  close(file);
}

}  // namespace

Process::Process(const std::vector<std::string>& arguments, const std::function<void()>& prepare)
    : output_path_(make_file()), errors_path_(make_file()) {
  std::vector<char*> words;
  for (const std::string& argument : arguments)
    words.push_back(const_cast<char*>(argument.c_str()));
  words.push_back(nullptr);
  child_ = fork();
  if (child_ != 0) return;
  redirect(STDOUT_FILENO, output_path_);
  redirect(STDERR_FILENO, errors_path_);
  if (prepare) prepare();
  execv(words[0], words.data());
  _exit(127);
}

Process::~Process() {
  if (child_ > 0) {
    send(SIGKILL);
    wait();
  }
  unlink(output_path_.c_str());
  unlink(errors_path_.c_str());
}

void Process::send(int signal) const { kill(child_, signal); }

int Process::wait() {
  int status = 0;
  if (waitpid(child_, &status, 0) != child_) return -1;
  child_ = -1;
  return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

std::string Process::read(const std::string& path) {
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

TemporaryFile::TemporaryFile(const std::string& text) : path_(make_file()) {
  std::ofstream(path_) << text;
}

TemporaryFile::~TemporaryFile() { unlink(path_.c_str()); }

}  // namespace evring
