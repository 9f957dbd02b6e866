using ImagesFunctions.Accounts;
using ImagesFunctions.Oci;
using ImagesFunctions.Tests.Faults;

namespace ImagesFunctions.Tests.Accounts;

/// <summary>Who may see and do what.</summary>
public sealed class AccessTests
{
    private const string ReadOnly = "This token may only read.";

    /// <summary>Account, whether its token may only read, repository; whether it may read it, whether it may write it.</summary>
    public static TheoryData<string, bool, string, bool, bool> Table =>
        new()
        {
            { "alice", false, "alice/web", true, true },
            { "alice", true, "alice/web", true, false },
            { "alice", false, "official/hello", true, false },
            { "alice", true, "official/hello", true, false },
            { "alice", false, "bob/web", false, false },
            { "alice", false, "alice2/web", false, false },
            { "official", false, "official/hello", true, true },
            { "official", true, "official/hello", true, false },
            { "official", false, "alice/web", false, false },
        };

    [Theory]
    [MemberData(nameof(Table))]
    public void An_account_reads_its_own_and_official_repositories_and_writes_its_own(
        string account,
        bool isReadOnly,
        string repository,
        bool mayRead,
        bool mayWrite
    )
    {
        var access = new Access(account, isReadOnly);
        var named = Node.Repository(repository);

        Assert.Equal(mayRead, access.MayRead(named));
        Assert.Equal(mayRead, access.Namespaces.Contains(named.Namespace));
        Assert.Equal(mayWrite, access.May(Rights.Push, named));
        Assert.Equal(mayWrite, Record.Exception(() => access.Demand(Rights.Push, named, repository)) is null);
    }

    [Theory]
    [InlineData("alice", "alice/web", ReadOnly)]
    [InlineData("alice", "bob/web", "The account alice may not write to bob/web.")]
    [InlineData("alice", "official/hello", "The account alice may not write to official/hello.")]
    public void A_refusal_says_whose_the_repository_is_before_what_the_token_may(
        string account,
        string repository,
        string message
    )
    {
        var access = new Access(account, isReadOnly: true);

        var error = Assert.Throws<AccessDeniedException>(() =>
            access.Demand(Rights.Push, Node.Repository(repository), repository)
        );

        Assert.Equal(message, error.Message);
    }

    [Theory]
    [InlineData("alice", new[] { "alice", Repository.Official })]
    [InlineData("official", new[] { Repository.Official })]
    public void An_account_lists_its_own_namespace_first_and_none_twice(string account, string[] namespaces) =>
        Assert.Equal(namespaces, new Access(account, isReadOnly: false).Namespaces);

    [Theory]
    [InlineData("GET", true)]
    [InlineData("HEAD", true)]
    [InlineData("POST", false)]
    [InlineData("PUT", false)]
    [InlineData("PATCH", false)]
    [InlineData("DELETE", false)]
    [InlineData("MADEUP", false)]
    public void A_token_that_may_only_read_has_only_the_methods_that_change_nothing(string method, bool isAllowed)
    {
        Assert.Equal(isAllowed, Record.Exception(() => new Access("alice", true).DemandMethod(method)) is null);
        Assert.Null(Record.Exception(() => new Access("alice", false).DemandMethod(method)));
    }

    /// <summary>Rights, repositories; what may be done with alice/web, alice/web/child and official/hello.</summary>
    public static TheoryData<string, string, string, string, string> Scoped =>
        new()
        {
            { "pull", "web", "pull", "", "pull" },
            { "push", "web/**", "pull push", "pull push", "pull" },
            { "delete", "web/*", "", "pull delete", "pull" },
            { "pull,push,delete", "**", "pull push delete", "pull push delete", "pull" },
            { "admin", "**", "admin", "admin", "" },
            { "admin,pull", "web", "pull admin", "", "pull" },
            { "pull", "other", "", "", "pull" },
        };

    [Theory]
    [MemberData(nameof(Scoped))]
    public void A_token_has_its_rights_on_its_repositories_and_none_elsewhere(
        string allow,
        string pattern,
        string web,
        string child,
        string official
    )
    {
        var access = new Access("alice", [Grant.Parse(allow, [pattern])]);

        Assert.Equal(web, RightsOn("alice/web"));
        Assert.Equal(child, RightsOn("alice/web/child"));
        Assert.Equal(official, RightsOn("official/hello"));
        Assert.Equal("", RightsOn("bob/web"));
        Assert.False(access.MayReadAll("alice") && pattern != "**", "Only what is no pattern is everything.");

        string RightsOn(string repository) =>
            string.Join(
                ' ',
                ((Rights[])[Rights.Pull, Rights.Push, Rights.Delete, Rights.Admin])
                    .Where(right => access.May(right, Node.Repository(repository)))
                    .Select(right => right.ToString().ToLowerInvariant())
            );
    }

    [Fact]
    public void Grants_add_up()
    {
        var access = new Access("alice", [Grant.Parse("pull", ["**"]), Grant.Parse("push", ["web"])]);

        Assert.True(access.May(Rights.Push, Node.Repository("alice/web")));
        Assert.True(access.MayRead(Node.Repository("alice/api")));
        Assert.False(access.May(Rights.Push, Node.Repository("alice/api")));
    }

    [Theory]
    [InlineData("")]
    [InlineData("pull,")]
    [InlineData("Pull")]
    [InlineData("pull push")]
    [InlineData("write")]
    public void What_is_no_right_is_refused(string allow)
    {
        Assert.Throws<FormatException>(() => Grant.Parse(allow, []));
        Assert.Null(Grant.Read(allow, ""));
    }

    [Fact]
    public void What_a_row_says_is_read_back()
    {
        var grant = Grant.Parse("delete,push", ["web/**", "api", "api"]);

        var read = Grant.Read(grant.Allow, grant.RepositoriesText)!;

        Assert.Equal("push,delete", read.Allow);
        Assert.Equal(["web/**", "api"], read.Repositories.Select(r => r.Text));
        Assert.Throws<FormatException>(() => Grant.Parse("pull", Enumerable.Range(0, 51).Select(i => $"app{i}")));
    }
}
