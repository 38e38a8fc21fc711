// SPDX-License-Identifier: MIT
// Which runtime folders are taken, which are refused, and that a refusal touches nothing.
// Those of another user need root to be made; elsewhere they are skipped.
#include <evring/runtime_dir.hpp>

#include <grp.h>
#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include "support.hpp"

namespace evring {
namespace {

namespace fs = std::filesystem;

constexpr uid_t kAnotherUser = 65533;
constexpr uid_t kThisUser = 65534;

/// A variable as a test wants it; as it was afterwards.
class Variable {
 public:
  Variable(const char* name, const std::string& value) : name_(name) {
    const char* before = std::getenv(name);
    if (before != nullptr) before_ = before;
    value.empty() ? ::unsetenv(name) : ::setenv(name, value.c_str(), 1);
  }
  Variable(const Variable&) = delete;
  Variable& operator=(const Variable&) = delete;
  ~Variable() { before_ ? ::setenv(name_, before_->c_str(), 1) : ::unsetenv(name_); }

 private:
  const char* name_;
  std::optional<std::string> before_;
};

class RuntimeDirTest : public ::testing::Test {
 protected:
  RuntimeDirTest() {
    std::string pattern = (fs::temp_directory_path() / "evring-folder-XXXXXX").string();
    root_ = ::mkdtemp(pattern.data());
    ::setenv("XDG_RUNTIME_DIR", root_.c_str(), 1);
  }
  ~RuntimeDirTest() override { fs::remove_all(root_); }

  /// A folder with those permissions, whatever the umask is.
  fs::path folder(const std::string& name, mode_t mode, uid_t owner = ::geteuid()) const {
    const fs::path path = root_ / name;
    fs::create_directory(path);
    EXPECT_EQ(::chown(path.c_str(), owner, static_cast<gid_t>(-1)), 0);
    EXPECT_EQ(::chmod(path.c_str(), mode), 0);
    return path;
  }

  fs::path root_;
  Variable xdg_{"XDG_RUNTIME_DIR", ""};
  Variable shared_{"EVRING_RUNTIME_DIR", ""};
};

/// What is said when a folder is refused; empty when it is taken.
template <class Body>
std::string refusal_of(Body&& body) {
  try {
    body();
  } catch (const RuntimeDirRefused& error) {
    return error.what();
  }
  return "";
}
std::string refusal_to_make() {
  return refusal_of([] { RuntimeDir::make(); });
}
std::string refusal_to_find() {
  return refusal_of([] { RuntimeDir::find(); });
}
bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

/// Runs `body` as an ordinary user; true from it means success.
template <class Body>
void as_user(uid_t user, Body&& body) {
  EXPECT_EQ(testing::run_child([&] {
              return ::setgroups(0, nullptr) == 0 && ::setresuid(user, user, user) == 0 && body();
            }),
            0);
}

TEST_F(RuntimeDirTest, IsMadeForThisUserAlone) {
  EXPECT_FALSE(RuntimeDir::find());
  const RuntimeDir made = RuntimeDir::make();
  EXPECT_EQ(made.path(), root_ / "evring");
  struct stat info {};
  ASSERT_EQ(::fstat(made.fd(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, ::geteuid() == 0 ? 0755U : 0700U);
  const RuntimeDir inner = made.make_folder("inner");
  std::ofstream(inner.path() / "file") << "x";
  EXPECT_EQ(inner.names(), std::vector<std::string>{"file"});
  EXPECT_TRUE(RuntimeDir::find()->find_folder("inner"));
  EXPECT_FALSE(made.find_folder("none"));
}

TEST_F(RuntimeDirTest, ALinkIsNotFollowed) {
  const fs::path target = folder("target", 0700);
  fs::create_directory_symlink(target, root_ / "evring");
  for (const std::string& said : {refusal_to_make(), refusal_to_find()}) {
    EXPECT_TRUE(contains(said, (root_ / "evring").string() + ": not a folder")) << said;
    EXPECT_TRUE(contains(said, "remove it")) << said;
  }
  EXPECT_TRUE(fs::is_empty(target));
  fs::remove(root_ / "evring");
  const RuntimeDir made = RuntimeDir::make();
  fs::create_directory_symlink(target, made.path() / "inner");
  EXPECT_NE(refusal_of([&] { made.make_folder("inner"); }), "");
  EXPECT_NE(refusal_of([&] { made.find_folder("inner"); }), "");
  EXPECT_TRUE(fs::is_empty(target));
}

TEST_F(RuntimeDirTest, OneThatOthersMayWriteIsRefusedAndSaysHowToCloseIt) {
  folder("evring", 0770);
  EXPECT_TRUE(contains(refusal_to_make(), "others may write it; chmod go-w it"));
  folder("evring", 01777);
  EXPECT_TRUE(contains(refusal_to_find(), "others may write it"));
  folder("evring", 0755);
  EXPECT_EQ(refusal_to_make(), "");
}

TEST_F(RuntimeDirTest, OneWhereOthersMayReplaceItIsRefused) {
  ASSERT_EQ(::chmod(root_.c_str(), 0777), 0);
  EXPECT_TRUE(contains(refusal_to_make(), root_.string() + ": others may write it"));
  EXPECT_FALSE(fs::exists(root_ / "evring"));
  ASSERT_EQ(::chmod(root_.c_str(), 01777), 0);
  EXPECT_EQ(refusal_to_make(), "") << "sticky, as /tmp is";
}

TEST_F(RuntimeDirTest, TheFolderOfAnotherUserIsRefusedAndLeftAlone) {
  if (::geteuid() != 0) GTEST_SKIP() << "takes root";
  ASSERT_EQ(::chmod(root_.c_str(), 01777), 0);
  const fs::path evring = folder("evring", 0755, kAnotherUser);
  std::ofstream(evring / "precious") << "x";
  as_user(kThisUser, [] {
    const std::string wanted = "belongs to user 65533, not to 65534";
    return contains(refusal_to_make(), wanted) && contains(refusal_to_find(), wanted) &&
           !refusal_of([] { LocalRing::named({.name = "x"}); }).empty() &&
           !refusal_of([] { attach_local("x"); }).empty() &&
           !refusal_of([] { local_ring_names(); }).empty();
  });
  EXPECT_TRUE(fs::exists(evring / "precious"));
}

TEST_F(RuntimeDirTest, WithoutAVariableItIsRefusedWhenSomebodyElseMadeItFirst) {
  if (::geteuid() != 0) GTEST_SKIP() << "takes root";
  const Variable unset("XDG_RUNTIME_DIR", "");
  const auto user = static_cast<uid_t>(1'000'000'000 + ::getpid());  // nobody's, hence unused
  const fs::path path = "/tmp/evring-" + std::to_string(user);
  ASSERT_TRUE(fs::create_directory(path)) << path;
  as_user(user, [&] {
    return RuntimeDir::where() == path && contains(refusal_to_find(), "belongs to user 0");
  });
  fs::remove_all(path);
  as_user(user, [&] { return RuntimeDir::make().path() == path; });
  fs::remove_all(path);
}

TEST_F(RuntimeDirTest, ASharedFolderIsNamedAndThere) {
  const Variable named("EVRING_RUNTIME_DIR", root_ / "all/");
  EXPECT_FALSE(RuntimeDir::find());
  EXPECT_THROW(RuntimeDir::make(), std::system_error) << "its permissions are for its owner to say";
  folder("all", 0777);
  EXPECT_TRUE(contains(refusal_to_make(), "chmod go-w it, or +t"));
  folder("all", 01777);
  EXPECT_EQ(RuntimeDir::make().path(), root_ / "all");
  struct stat info {};
  ASSERT_EQ(::fstat(RuntimeDir::make().make_folder("inner").fd(), &info), 0);
  EXPECT_EQ(info.st_mode & 07777, 01777U) << "whoever may serve there may post there";
  fs::remove_all(root_ / "all");
  folder("target", 0700);
  fs::create_directory_symlink(root_ / "target", root_ / "all");
  EXPECT_TRUE(contains(refusal_to_make(), "not a folder"));
  const Variable relative("EVRING_RUNTIME_DIR", "all");
  EXPECT_THROW(RuntimeDir::find(), std::system_error);
}

TEST_F(RuntimeDirTest, UsersMeetInASharedFolder) {
  if (::geteuid() != 0) GTEST_SKIP() << "takes root";
  ASSERT_EQ(::chmod(root_.c_str(), 0755), 0);
  const Variable named("EVRING_RUNTIME_DIR", folder("theirs", 0755, kAnotherUser));
  as_user(kThisUser, [] {
    return refusal_to_find().empty() && contains(refusal_to_make(), "belongs to user 65533");
  });
  const Variable all("EVRING_RUNTIME_DIR", folder("all", 01777));
  as_user(kAnotherUser, [] {
    RuntimeDir::make().make_folder("inner");
    return true;
  });
  as_user(kThisUser,
          [] { return refusal_of([] { RuntimeDir::make().make_folder("inner"); }).empty(); });
}

}  // namespace
}  // namespace evring
